// Keys of age are told from what only looks like one.
import { generateHybridIdentity, generateX25519Identity, identityToRecipient } from 'age-encryption'
import test from 'ava'
import { ageKeyFault } from '../../src/backup/age-keys.ts'

const made: string[] = []
test.before(async () => {
  for (const identity of [await generateX25519Identity(), await generateHybridIdentity()]) made.push(identity, await identityToRecipient(identity))
})

test('the keys that age makes are keys', t => {
  t.is(made.length, 4)
  for (const key of made) t.is(ageKeyFault(key), undefined, key)
})

test('a key with another letter, with one too few or many, or in other letters is none', t => {
  for (const key of made) {
    const last = key.slice(-1).toLowerCase() === 'q' ? 'p' : 'q'
    const other = `${key.slice(0, -1)}${key === key.toUpperCase() ? last.toUpperCase() : last}`
    for (const broken of [other, key.slice(0, -1), `${key}q`, key.slice(0, -8), key.replace(/.$/, 'o')]) t.truthy(ageKeyFault(broken), broken)
  }
  for (const broken of [
    'age1',
    'age1foobarfoobarfoobar',
    'AGE-SECRET-KEY-1FOOBAR',
    'AGE-SECRET-KEY-',
    'age1yubikey1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq',
  ])
    t.truthy(ageKeyFault(broken), broken)
})

test('a passphrase is none, and no fault', t => {
  for (const passphrase of ['correct horse battery staple', 'age of wonders and more', 'AGE-OF-WONDERS-AND-MORE']) t.is(ageKeyFault(passphrase), undefined)
})

// What is sealed opens only where it was sealed, under the same key and purpose; digests and hashes keep their kinds apart.
import { randomBytes } from 'node:crypto'
import test from 'ava'
import { createSecrets, hashOf, isEqualSecret, sealUnder, unsealUnder } from '../../src/platform/secrets.ts'

const secrets = createSecrets({ secretKey: 'a'.repeat(40), randomBytes })
const others = createSecrets({ secretKey: 'b'.repeat(40), randomBytes })

test('what is sealed opens again', t => {
  for (const text of ['', 'text', '💩\0', 'x'.repeat(100_000)]) t.is(secrets.unseal('artifact', secrets.seal('artifact', text, 'here'), 'here'), text)
})

test('one text is sealed differently each time', t => {
  t.not(secrets.seal('artifact', 'text', 'here'), secrets.seal('artifact', 'text', 'here'))
})

test('what is sealed opens for no other purpose, at no other place and under no other key', t => {
  const sealed = secrets.seal('artifact', 'text', 'here')
  t.throws(() => secrets.unseal('cookie', sealed, 'here'))
  t.throws(() => secrets.unseal('artifact', sealed, 'there'))
  t.throws(() => others.unseal('artifact', sealed, 'here'))
})

test('a sealed value that was changed anywhere does not open', t => {
  const sealed = secrets.seal('artifact', 'text', 'here')
  const bytes = Buffer.from(sealed.slice(3), 'base64url')
  for (const index of bytes.keys()) {
    const changed = Buffer.from(bytes)
    changed[index] = (changed[index] ?? 0) ^ 1
    t.throws(() => secrets.unseal('artifact', `v1.${changed.toString('base64url')}`, 'here'), undefined, `byte ${index}`)
  }
  for (const wrong of ['', 'v1', 'v1.', 'v1.AAAA', `v2.${sealed.slice(3)}`, sealed.slice(3), `v1.${bytes.subarray(0, 20).toString('base64url')}`, '__proto__'])
    t.throws(() => secrets.unseal('artifact', wrong, 'here'), undefined, wrong)
})

test('a sealed value whose tag was cut short does not open, so that no short tag can be guessed', t => {
  const bytes = Buffer.from(secrets.seal('artifact', '', 'here').slice(3), 'base64url')
  for (const tagLength of [4, 8, 12, 15]) {
    const error = t.throws(() => secrets.unseal('artifact', `v1.${bytes.subarray(0, 12 + tagLength).toString('base64url')}`, 'here'))
    t.is((error as NodeJS.ErrnoException).code, 'ERR_CRYPTO_INVALID_AUTH_TAG', `${tagLength} bytes`)
  }
})

test('a digest differs by value, purpose and key, and is the same otherwise', t => {
  const digest = secrets.digest('csrf', 'value').toString('hex')
  t.is(secrets.digest('csrf', 'value').toString('hex'), digest)
  t.not(secrets.digest('csrf', 'values').toString('hex'), digest)
  t.not(secrets.digest('pairwise', 'value').toString('hex'), digest)
  t.not(others.digest('csrf', 'value').toString('hex'), digest)
})

test('a hash keeps kind and value apart', t => {
  t.not(hashOf('a', 'bc').toString('hex'), hashOf('ab', 'c').toString('hex'))
  t.not(hashOf('AccessToken', 'x').toString('hex'), hashOf('RefreshToken', 'x').toString('hex'))
})

test('secrets are equal only in every byte, and of different lengths never', t => {
  t.true(isEqualSecret(Buffer.from('abc'), Buffer.from('abc')))
  t.false(isEqualSecret(Buffer.from('abc'), Buffer.from('abd')))
  t.false(isEqualSecret(Buffer.from('abc'), Buffer.from('abcd')))
  t.false(isEqualSecret(Buffer.from(''), Buffer.from('a')))
})

test('what is sealed under a bearer secret opens for its holder alone', t => {
  const sealed = sealUnder('token', 'successor', randomBytes(12))
  t.is(unsealUnder('token', sealed), 'successor')
  t.throws(() => unsealUnder('tokem', sealed))
  t.false(sealed.toString('latin1').includes('successor'))
})

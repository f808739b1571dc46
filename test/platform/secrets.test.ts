// What is sealed opens only where it was sealed, under the same key and purpose; digests and hashes keep their kinds apart.
import { randomBytes } from 'node:crypto'
import test from 'ava'
import { createCookieKeys } from '../../src/platform/http/cookie-keys.ts'
import { lastingPurposes } from '../../src/platform/purposes.ts'
import { createSecrets, hashOf, isEqualSecret, isOneOf, sealUnder, unsealUnder } from '../../src/platform/secrets.ts'

const secrets = createSecrets({ secretKey: 'a'.repeat(40), randomBytes })
const others = createSecrets({ secretKey: 'b'.repeat(40), randomBytes })
/** After `secrets` was replaced. */
const renewed = createSecrets({ secretKey: 'c'.repeat(40), previousKeys: ['a'.repeat(40)], randomBytes })
const bodyOf = (sealed: string) => sealed.split('.')[2] ?? ''

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
  const bytes = Buffer.from(bodyOf(sealed), 'base64url')
  for (const index of bytes.keys()) {
    const changed = Buffer.from(bytes)
    changed[index] = (changed[index] ?? 0) ^ 1
    t.throws(() => secrets.unseal('artifact', secrets.sealedPrefix + changed.toString('base64url'), 'here'), undefined, `byte ${index}`)
  }
  const { sealedPrefix: prefix } = secrets
  const short = bytes.subarray(0, 20).toString('base64url')
  const wrongs = [
    '',
    'v2',
    'v2.',
    prefix,
    `${prefix}AAAA`,
    `${prefix}${short}`,
    `v1.${short}`,
    `v3${sealed.slice(2)}`,
    `${sealed}.`,
    bodyOf(sealed),
    '__proto__',
  ]
  for (const wrong of wrongs) t.throws(() => secrets.unseal('artifact', wrong, 'here'), undefined, wrong)
})

test('a sealed value whose tag was cut short does not open, so that no short tag can be guessed', t => {
  const bytes = Buffer.from(bodyOf(secrets.seal('artifact', '', 'here')), 'base64url')
  for (const tagLength of [4, 8, 12, 15]) {
    const error = t.throws(() => secrets.unseal('artifact', secrets.sealedPrefix + bytes.subarray(0, 12 + tagLength).toString('base64url'), 'here'))
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

test('what was sealed under a previous key opens, and is sealed under the current one alone', t => {
  t.is(renewed.unseal('artifact', secrets.seal('artifact', 'text', 'here'), 'here'), 'text')
  const sealed = renewed.seal('artifact', 'text', 'here')
  t.true(sealed.startsWith(renewed.sealedPrefix))
  t.not(renewed.sealedPrefix, secrets.sealedPrefix)
  t.throws(() => secrets.unseal('artifact', sealed, 'here'))
  t.throws(() => renewed.unseal('artifact', others.seal('artifact', 'text', 'here'), 'here'))
})

test('what was sealed before values named their key opens under whichever it is', t => {
  for (const from of [secrets, renewed]) {
    const first = `v1.${bodyOf(from.seal('artifact', 'text', 'here'))}`
    t.is(renewed.unseal('artifact', first, 'here'), 'text')
    t.throws(() => renewed.unseal('artifact', first, 'there'))
    t.throws(() => others.unseal('artifact', first, 'here'))
  }
})

test('a digest is made under the current key, and known under the previous ones', t => {
  t.true(isOneOf(renewed.digests('csrf', 'value'), secrets.digest('csrf', 'value')))
  t.deepEqual(renewed.digests('csrf', 'value')[0], renewed.digest('csrf', 'value'))
  t.false(isOneOf(renewed.digests('csrf', 'value'), others.digest('csrf', 'value')))
})

test('the keys of lasting purposes are those that were kept, whatever SECRET_KEY is', t => {
  const lasting = new Map(lastingPurposes.map(purpose => [purpose, secrets.derive(purpose)]))
  const after = createSecrets({ secretKey: 'd'.repeat(40), lasting, randomBytes })
  for (const purpose of lastingPurposes) t.deepEqual(after.digest(purpose, 'value'), secrets.digest(purpose, 'value'), purpose)
  t.is(after.unseal('audit-checkpoint-place', secrets.seal('audit-checkpoint-place', 'text', 'here'), 'here'), 'text')
  t.notDeepEqual(after.digest('csrf', 'value'), secrets.digest('csrf', 'value'))
})

test('cookies that a previous key signed are known, and signed by the current one', t => {
  const [before, after] = [secrets, renewed].map(one => createCookieKeys(one.deriveAll('cookie')))
  t.is(after?.index('session=1', before?.sign('session=1') ?? ''), 0)
  t.is(before?.index('session=1', after?.sign('session=1') ?? ''), -1)
  t.is(after?.index('session=2', before?.sign('session=1') ?? ''), -1)
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

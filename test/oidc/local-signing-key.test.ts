import { randomBytes } from 'node:crypto'
import test from 'ava'
import { compactVerify, importJWK, type JWK } from 'jose'
import { ExternalSigningKey } from 'oidc-provider'
import { signingAlgorithms } from '../../src/clients/protection-fields.ts'
import { generateKey } from '../../src/oidc/generated-key.ts'
import { toEngineKey } from '../../src/oidc/local-signing-key.ts'
import { encryptionAlgorithms } from '../../src/oidc/signing-key.ts'
import { runFor } from '../../src/platform/context.ts'
import { createDeadline } from '../../src/platform/deadline.ts'

const sign = async (jwk: JWK, payload: Buffer) => {
  const key = toEngineKey(jwk)
  if (!(key instanceof ExternalSigningKey)) throw new Error('it does not sign')
  const input = `${Buffer.from(JSON.stringify({ alg: jwk.alg })).toString('base64url')}.${payload.toString('base64url')}`
  return `${input}.${Buffer.from(await key.sign(Buffer.from(input))).toString('base64url')}`
}

for (const alg of signingAlgorithms)
  test(`what is signed by ${alg} is verified by anybody who has the public key, whatever its integers are`, async t => {
    const { privateJwk, publicJwk } = await generateKey(alg)
    const known = await importJWK(publicJwk, alg)
    // One in 128 signatures on P-256 has an integer that is shorter than the others.
    const payloads = Array.from({ length: alg === 'ES256' ? 1500 : 20 }, () => randomBytes(24))
    const signed = await Promise.all(payloads.map(payload => sign(privateJwk, payload)))
    for (const [index, jws] of signed.entries()) t.deepEqual(Buffer.from((await compactVerify(jws, known)).payload), payloads[index])
  })

test('a key that signs tells its public half alone', async t => {
  const { privateJwk: jwk } = await generateKey('ES256')
  const key = toEngineKey(jwk)
  t.like(key, { kid: jwk.kid, alg: 'ES256', use: 'sig', kty: 'EC', crv: 'P-256', x: jwk.x, y: jwk.y })
  const known = key instanceof ExternalSigningKey ? await key.keyObject() : undefined
  t.is(known?.type, 'public')
  t.deepEqual(known?.export({ format: 'jwk' }), { kty: 'EC', crv: 'P-256', x: jwk.x, y: jwk.y })
})

test('a key that others encrypt under stays as it is', async t => {
  for (const alg of encryptionAlgorithms) {
    const { privateJwk } = await generateKey(alg)
    t.is(toEngineKey(privateJwk), privateJwk)
  }
})

test('what has no time left for more is signed all the same', async t => {
  const { privateJwk } = await generateKey('ES256')
  const jws = await runFor({ deadline: createDeadline(-1) }, () => sign(privateJwk, Buffer.from('late')))
  t.is(jws.split('.').length, 3)
})

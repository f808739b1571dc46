// Signing keys: made once, rotated without a failed verification, followed by a running engine.
import test from 'ava'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { z } from 'zod'
import { createSigningKeys, jwksMaxAgeSeconds } from '../../src/oidc/signing-keys.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { Problem } from '../../src/platform/errors.ts'
import { createSecrets } from '../../src/platform/secrets.ts'
import { createRelyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const keySet = z.object({ keys: z.array(z.object({ kid: z.string(), kty: z.string(), alg: z.string().optional(), d: z.string().optional() })) })
const published = async () => keySet.parse(await (await fetch(`${server.issuer}/oauth2/jwks`)).json()).keys
const idToken = async () => (await (await createRelyingParty(server.issuer)).signIn()).tokens.id_token ?? ''

test.serial('a current and a next key of each algorithm that signs, and one of each to encrypt under, are published, without private members', async t => {
  const keys = await published()
  const signing = ['ES256', 'EdDSA', 'PS256', 'RS256']
  t.deepEqual(keys.map(({ alg, kty }) => alg ?? kty).toSorted(), ['EC', 'RSA-OAEP-256', ...signing, ...signing].toSorted())
  t.true(keys.every(({ d }) => d === undefined))
})

test.serial('making what is missing twice changes nothing', async t => {
  const before = await server.services.signingKeys.version()
  await Promise.all([1, 2, 3].map(() => server.services.signingKeys.ensure(systemActor)))
  t.is(await server.services.signingKeys.version(), before)
})

test.serial('a next key that clients may not know yet is not made current', async t => {
  await server.resources.database.pool.query("UPDATE signing_keys SET created_at = now() WHERE state = 'next'")
  const error = await t.throwsAsync(server.services.signingKeys.rotate(systemActor))
  t.true(error instanceof Problem && error.code === 'signing_key_too_young')
})

test.serial('a next key that was published long enough is made current', async t => {
  const { database, secrets } = server.resources
  const later = new Date(Date.now() + (jwksMaxAgeSeconds + 60) * 1000)
  const keys = createSigningKeys({ database, secrets, change: server.services.change, now: () => later })
  await t.notThrowsAsync(keys.rotate(systemActor))
})

test.serial('a running engine follows a rotation, and what was signed before still verifies', async t => {
  await server.app.protocol.engine.refresh()
  const before = await idToken()
  const known = (await published()).map(({ kid }) => kid)
  await server.services.signingKeys.rotate(systemActor, { isForced: true })
  t.true(await server.app.protocol.engine.refresh())
  const after = await idToken()
  const [old, young] = [before, after].map(token => decodeProtectedHeader(token).kid ?? '')
  t.not(old, young)
  t.true(known.includes(young ?? ''), 'the new key was published before it signed')
  const jwks = createRemoteJWKSet(new URL(`${server.issuer}/oauth2/jwks`))
  for (const token of [before, after]) await t.notThrowsAsync(jwtVerify(token, jwks, { issuer: server.issuer, algorithms: ['RS256'] }))
})

test.serial('the engine is not built anew while the keys stay', async t => {
  t.false(await server.app.protocol.engine.refresh())
})

test.serial('keys sealed under another SECRET_KEY are refused in a sentence', async t => {
  const { database, now, randomBytes } = server.resources
  const secrets = createSecrets({ secretKey: 'another-secret-key-0123456789-abcdefghijkl', randomBytes })
  const keys = createSigningKeys({ database, secrets, change: server.services.change, now })
  await t.throwsAsync(keys.list(), { name: 'StartError' })
})

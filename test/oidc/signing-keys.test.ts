// Signing keys: made once, rotated without a failed verification, followed by a running engine.
import { randomUUID } from 'node:crypto'
import { mock } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import test from 'ava'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import * as client from 'openid-client'
import { z } from 'zod'
import { keyRefusal } from '../../scripts/key-refusals.ts'
import { type GenerateKey, generateKey } from '../../src/oidc/generated-key.ts'
import { isSigning, keyAlgorithms, type SigningKey } from '../../src/oidc/signing-key.ts'
import { createSigningKeys, purgeSigningKeys, type SigningKeys } from '../../src/oidc/signing-keys.ts'
import { systemActor } from '../../src/platform/actor.ts'
import type { Change } from '../../src/platform/data/change.ts'
import { Problem } from '../../src/platform/errors.ts'
import { createSecrets } from '../../src/platform/secrets.ts'
import { startTasks } from '../../src/tasks.ts'
import { makeClient } from '../support/clients.ts'
import { introspect, makeResource } from '../support/exchange.ts'
import { createRelyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const jwksMaxAgeSeconds = 300
const daySeconds = 86_400

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const keySet = z.object({ keys: z.array(z.object({ kid: z.string(), kty: z.string(), alg: z.string().optional(), d: z.string().optional() })) })
const published = async () => keySet.parse(await (await fetch(`${server.issuer}/oauth2/jwks`)).json()).keys
const pairs = new Map<string, ReturnType<typeof generateKey>>()
/** Names an old pair anew: twenty who race would generate for seconds. */
const generateQuickly: GenerateKey = async algorithm => {
  const pair = pairs.get(algorithm) ?? generateKey(algorithm)
  pairs.set(algorithm, pair)
  const [{ privateJwk, publicJwk }, kid] = [await pair, randomUUID()]
  return { privateJwk: { ...privateJwk, kid }, publicJwk: { ...publicJwk, kid } }
}
/** The service at another hour. */
const keysAfter = (seconds: number, rotationDays = 90) => {
  const { database, secrets } = server.resources
  const later = new Date(Date.now() + seconds * 1000)
  return createSigningKeys({
    database,
    secrets,
    change: server.services.change,
    now: () => later,
    rotationDays,
    jwksMaxAgeSeconds,
    generateKey: generateQuickly,
  })
}
const kidsOf = (keys: readonly SigningKey[], state: string) => keys.flatMap(key => (key.state === state && isSigning(key.algorithm) ? key.kid : [])).sort()
/** Throws unless each algorithm has one current key, and one next that signs. */
const mustBeWhole = async () => {
  const keys = (await server.services.signingKeys.describe()).filter(({ state }) => state === 'current' || state === 'next')
  const states = keys.map(({ algorithm, state }) => `${algorithm} ${state}`).sort()
  const wanted = keyAlgorithms.flatMap(algorithm => [`${algorithm} current`, ...(isSigning(algorithm) ? [`${algorithm} next`] : [])]).sort()
  if (states.join() !== wanted.join()) throw new Error(states.join())
}
/** Whether an ID token is known as ours at the end of a session. */
const isTakenAsHint = async (token: string) =>
  (await fetch(`${server.issuer}/oauth2/logout?${new URLSearchParams({ id_token_hint: token })}`, { redirect: 'manual' })).status !== 400
const signedIn = async () => (await (await createRelyingParty(server.issuer)).signIn()).tokens
const idToken = async () => (await signedIn()).id_token ?? ''

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

test.serial('whoever rotates too early, or revokes a key that is revoked or not there, is told what helps', async t => {
  const { signingKeys } = server.services
  const toldOf = async (doing: Promise<void>, kid?: string) => {
    const error = await t.throwsAsync(doing, { instanceOf: Problem })
    return error && keyRefusal(error, { kid, jwksMaxAgeSeconds })
  }
  const early = await toldOf(signingKeys.rotate(systemActor))
  t.true(
    ['310 seconds', 'JWKS_MAX_AGE_SECONDS', '--force'].every(word => early?.includes(word)),
    early,
  )
  t.regex((await toldOf(signingKeys.revoke(systemActor, { kid: 'nokid' }), 'nokid')) ?? '', /no key nokid/)
  const kid = kidsOf(await signingKeys.describe(), 'next')[0] ?? ''
  await signingKeys.revoke(systemActor, { kid })
  t.is(await toldOf(signingKeys.revoke(systemActor, { kid }), kid), `The key ${kid} is revoked already.`)
})

test.serial('of twenty who rotate at once, forced or not, one does, once the next key was published long enough', async t => {
  for (const isForced of [false, true]) {
    const before = await server.services.signingKeys.describe()
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => keysAfter(jwksMaxAgeSeconds + 60).rotate(systemActor, { isForced })))
    const refused = results.flatMap(result => (result.status === 'rejected' ? [result.reason] : []))
    t.true(
      refused.every(error => error instanceof Problem && ['conflict', 'signing_key_too_young'].includes(error.code)),
      String(refused[0]),
    )
    t.is(refused.length, 19)
    await t.notThrowsAsync(mustBeWhole())
    t.deepEqual(kidsOf(await server.services.signingKeys.describe(), 'current'), kidsOf(before, 'next'))
  }
})

test.serial('keys are rotated when they are as old as keys become, and by one of twenty processes', async t => {
  t.deepEqual(await keysAfter(89 * daySeconds).rotateDue(systemActor), [])
  const before = await server.services.signingKeys.describe()
  const rotated = await Promise.all(Array.from({ length: 20 }, () => keysAfter(91 * daySeconds).rotateDue(systemActor)))
  t.deepEqual(rotated.flat().toSorted(), ['ECDH-ES', 'ES256', 'EdDSA', 'PS256', 'RS256', 'RSA-OAEP-256'])
  t.deepEqual(kidsOf(await server.services.signingKeys.describe(), 'current'), kidsOf(before, 'next'))
  await t.notThrowsAsync(mustBeWhole())
  t.deepEqual(await keysAfter(91 * daySeconds + 60).rotateDue(systemActor), [])
})

test.serial('a schedule waits until clients may know the next key, and KEY_ROTATION_DAYS=0 is none', async t => {
  const { pool } = server.resources.database
  const at = new Date(Date.now() + 400 * daySeconds * 1000)
  await pool.query("UPDATE signing_keys SET created_at = $1 WHERE state = 'next'", [at])
  t.deepEqual((await keysAfter(400 * daySeconds).rotateDue(systemActor)).toSorted(), ['ECDH-ES', 'RSA-OAEP-256'])
  await pool.query("UPDATE signing_keys SET created_at = now() - interval '1 day' WHERE state = 'next'")
  t.deepEqual(await keysAfter(400 * daySeconds, 0).rotateDue(systemActor), [])
  t.is((await keysAfter(400 * daySeconds).rotateDue(systemActor)).length, 4)
})

test.serial('a retired key is published while what it signed lives, then kept for what comes back, and forgotten after ninety days', async t => {
  const { database } = server.resources
  await database.pool.query('UPDATE signing_keys SET activated_at = now(), retired_at = now() WHERE activated_at > now()')
  await database.pool.query("UPDATE signing_keys SET created_at = now() - interval '1 hour'")
  await server.services.signingKeys.rotate(systemActor)
  await server.app.protocol.engine.refresh()
  const token = await idToken()
  await server.services.signingKeys.rotate(systemActor, { isForced: true })
  await server.app.protocol.engine.refresh()
  const { kid } = decodeProtectedHeader(token)
  t.true((await published()).some(key => key.kid === kid))
  await database.pool.query("UPDATE signing_keys SET retired_at = now() - interval '25 hours' WHERE kid = $1", [kid])
  t.true(await server.app.protocol.engine.refresh(), 'that its time is over is noticed')
  t.false((await published()).some(key => key.kid === kid))
  t.true(await isTakenAsHint(token))
  await database.pool.query("UPDATE signing_keys SET retired_at = now() - interval '91 days' WHERE kid = $1", [kid])
  t.is(await purgeSigningKeys(database, 500), 1)
  await server.app.protocol.engine.refresh()
  t.false(await isTakenAsHint(token))
})

test.serial('a revoked key is published no more, what it signed is refused, and the next one signs', async t => {
  const tokens = await signedIn()
  const known = await server.services.signingKeys.describe()
  const machine = await makeClient(server, { grantTypes: ['client_credentials'] })
  const resource = await makeResource(server)
  const [kid = '', next = ''] = ['current', 'next'].map(state => known.find(key => key.algorithm === 'RS256' && key.state === state)?.kid)
  const jwt = (await client.clientCredentialsGrant(machine.configuration, { resource, scope: 'read' })).access_token
  t.is(decodeProtectedHeader(tokens.id_token ?? '').kid, kid)
  t.true((await introspect(machine, jwt)).active)
  for (const name of [kid, decodeProtectedHeader(jwt).kid ?? '']) await server.services.signingKeys.revoke(systemActor, { kid: name })
  t.true(await server.app.protocol.engine.refresh())
  const kids = (await published()).map(key => key.kid)
  t.false(kids.includes(kid))
  t.is(decodeProtectedHeader(await idToken()).kid, next)
  t.false(await isTakenAsHint(tokens.id_token ?? ''))
  await until(async () => !(await introspect(machine, jwt)).active)
  const { access_token: fresh } = await client.clientCredentialsGrant(machine.configuration, { resource, scope: 'read' })
  t.true((await introspect(machine, fresh)).active)
  await t.notThrowsAsync(mustBeWhole())
})

test.serial('of twenty who revoke a key at once one does, whatever its state; what is private of it is gone', async t => {
  for (const state of ['current', 'next', 'retired']) {
    const [kid = ''] = kidsOf(await server.services.signingKeys.describe(), state)
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => keysAfter(0).revoke(systemActor, { kid })))
    t.is(results.filter(({ status }) => status === 'fulfilled').length, 1, state)
    const { rows } = await server.resources.database.pool.query('SELECT state, sealed_jwk FROM signing_keys WHERE kid = $1', [kid])
    t.deepEqual(rows, [{ state: 'revoked', sealed_jwk: null }])
    await t.notThrowsAsync(mustBeWhole())
  }
  await t.throwsAsync(server.services.signingKeys.revoke(systemActor, { kid: 'none' }), { message: /nothing here/ })
})

test.serial('keys are generated before a transaction begins, for nobody waits for rows meanwhile', async t => {
  const { database, secrets, now } = server.resources
  let isInside = false
  const change: Change = (actor, work) =>
    server.services.change(actor, async (tx, record) => {
      isInside = true
      return work(tx, record).finally(() => {
        isInside = false
      })
    })
  const generated: boolean[] = []
  const watched: GenerateKey = algorithm => {
    generated.push(isInside)
    return generateQuickly(algorithm)
  }
  const keys = createSigningKeys({ database, secrets, change, now, rotationDays: 90, jwksMaxAgeSeconds, generateKey: watched })
  await database.pool.query("DELETE FROM signing_keys WHERE algorithm = 'ES256' AND state = 'next'")
  await keys.rotate(systemActor, { isForced: true })
  for (const state of ['current', 'next', 'retired']) {
    const [kid = ''] = kidsOf(await keys.describe(), state)
    await keys.revoke(systemActor, { kid })
  }
  await database.pool.query("DELETE FROM signing_keys WHERE algorithm = 'ES256' AND state = 'next'")
  await keys.ensure(systemActor)
  await database.pool.query("UPDATE signing_keys SET activated_at = now() - interval '91 days' WHERE algorithm = 'ECDH-ES' AND state = 'current'")
  t.deepEqual(await keys.rotateDue(systemActor), ['ECDH-ES'])
  t.deepEqual(generated, Array(11).fill(false))
  await t.notThrowsAsync(mustBeWhole())
})

test.serial('a key under which others encrypt is revoked, and another takes its place', async t => {
  const [key] = (await server.services.signingKeys.describe()).filter(({ algorithm, state }) => algorithm === 'ECDH-ES' && state === 'current')
  await server.services.signingKeys.revoke(systemActor, { id: key?.id ?? '' })
  await t.notThrowsAsync(mustBeWhole())
  t.false((await server.services.signingKeys.list()).some(({ kid }) => kid === key?.kid))
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

test.serial('what every process does each minute rotates the keys that are due: of two processes one does, and a turn that failed is made up for', async t => {
  const { resources, services } = server
  await resources.database.pool.query("UPDATE signing_keys SET created_at = now() - interval '1 day' WHERE state = 'next'")
  const before = await services.signingKeys.describe()
  const countOf = async () => (await services.auditLog.list({ action: 'signing_key.rotated' }, { limit: 1 })).total
  const rotated = await countOf()
  const due = keysAfter(91 * daySeconds)
  let turns = 0
  const failing = async () => {
    turns += 1
    throw new Error('the database is out')
  }
  mock.timers.enable({ apis: ['setInterval'] })
  t.teardown(() => mock.timers.reset())
  const start = (signingKeys: SigningKeys) => startTasks(resources, { ...services, signingKeys })
  const end = (stops: ReturnType<typeof startTasks>) => Promise.all(stops.map(stop => stop()))
  const unlucky = start({ ...due, rotateDue: failing })
  mock.timers.tick(60_000)
  // Until the turn is over no other begins.
  mock.timers.tick(60_000)
  t.is(turns, 1)
  await setImmediate()
  mock.timers.tick(60_000)
  t.is(turns, 2)
  await end(unlucky)
  const both = [start(due), start(due)]
  mock.timers.tick(59_999)
  t.deepEqual(kidsOf(await services.signingKeys.describe(), 'current'), kidsOf(before, 'current'))
  mock.timers.tick(1)
  await Promise.all(both.map(end))
  t.deepEqual(kidsOf(await services.signingKeys.describe(), 'current'), kidsOf(before, 'next'))
  t.is((await countOf()) - rotated, keyAlgorithms.filter(isSigning).length)
  await t.notThrowsAsync(mustBeWhole())
})

test.serial('keys sealed under another SECRET_KEY are refused in a sentence', async t => {
  const { database, now, randomBytes } = server.resources
  const secrets = createSecrets({ secretKey: 'another-secret-key-0123456789-abcdefghijkl', randomBytes })
  const keys = createSigningKeys({ database, secrets, change: server.services.change, now, rotationDays: 90, jwksMaxAgeSeconds })
  await t.throwsAsync(keys.list(), { name: 'StartError' })
})

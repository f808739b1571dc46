// What requests write together: what each changes in a session's one document is kept, none brings back a session that is being ended, and
// each refresh token has one successor.
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import type { PoolClient } from 'pg'
import { createRotate } from '../../src/oidc/rotate.ts'
import { putSession, toPut } from '../../src/oidc/session-put.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { createCalls } from '../support/calls.ts'
import { makeClient } from '../support/clients.ts'
import { enterPassword, go, open } from '../support/factor-journeys.ts'
import { enrolTotp } from '../support/factors.ts'
import { justBefore } from '../support/just-before.ts'
import { createPerson } from '../support/person.ts'
import { lenient, prepareTrack, type Track } from '../support/race.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
let track: Track
test.before(async () => {
  server = await startServer()
  track = await prepareTrack({ services: server.services, calls: createCalls(server.issuer), issuer: server.issuer })
})
test.after.always(async () => {
  await track?.calls.close()
  await server?.close()
})

test.serial('a second client that is authorized in a session is remembered in it, so that its code is redeemed', async t => {
  t.is((await track.redeem(track.strict, await track.authorize(track.strict))).status, 200)
})

test.serial('a client whose grant was revoked gets a new one in the same session, and its codes are redeemed', async t => {
  const made = await track.authorize(lenient)
  t.is((await track.redeem(lenient, made)).status, 200)
  t.is((await track.redeem(lenient, made)).status, 400)
  t.is((await track.redeem(lenient, await track.authorize(lenient))).status, 200)
})

test.serial('clients that are authorized in one session at once are all remembered', async t => {
  const clients = Array.from({ length: 8 }, (_, index) => ({ id: `together-${index}`, secret: 'together_secret_0123456789', redirectUri: lenient.redirectUri }))
  for (const { id, secret, redirectUri } of clients)
    await server.services.clients.create(systemActor, {
      clientId: id,
      secret,
      name: id,
      isFirstParty: true,
      authenticationMethod: 'client_secret_basic',
      grantTypes: ['authorization_code'],
      redirectUris: [redirectUri],
    })
  const codes = await Promise.all(clients.map(client => track.authorize(client)))
  for (const [index, client] of clients.entries()) t.is((await track.redeem(client, codes[index] ?? { code: '', verifier: '' })).status, 200, client.id)
})

test('however a session is resumed while everything of its user ends, nothing of it lives afterwards', async t => {
  const clients = await Promise.all(Array.from({ length: 4 }, () => makeClient(server)))
  const [first] = clients
  for (let round = 0; round < 5 && first; round += 1) {
    const who = await makeUser(server)
    const { person } = await first.signIn({ who })
    const urls = await Promise.all(clients.map(async one => (await one.request({ prompt: 'none' })).url))
    const ending = server.services.change(systemActor, async (tx, record) => {
      await server.services.endAccess(tx, who.id)
      record('user.sessions_ended', { id: who.id, email: who.email })
    })
    const replies = await Promise.all([...urls.map(url => person.get(url)), ending.then(() => undefined)])
    t.true(replies.every(reply => reply === undefined || reply.status < 500))
    const living = await server.resources.database.prisma.oidcArtifact.count({
      where: { accountId: who.id, kind: { in: ['Session', 'Grant'] }, revokedAt: null },
    })
    t.is(living, 0, `round ${round}`)
    const silent = await person.get((await first.request({ prompt: 'none' })).url)
    t.is(silent.location?.searchParams.get('error'), 'login_required')
  }
})

for (const way of ['silently', 'after a page'] as const)
  test.serial(`a factor that is removed while a session is used ${way} does not come back into it`, async t => {
    const [first, second] = [await makeClient(server), await makeClient(server, { isFirstParty: way === 'silently' })]
    const who = await makeUser(server)
    const factor = await enrolTotp(server, who)
    const person = createPerson()
    await go(person, await enterPassword(person, (await open(person, first)).page, who), { code: await factor.code() })
    const user = await server.services.users.find(who.id)
    const remove = async () => user && server.services.authenticators.remove(systemActor, { user, id: factor.factorId })
    const consent = way === 'silently' ? undefined : await person.submit((await open(person, second)).page, { decision: 'allow' })
    const isRemoved = justBefore(server.resources.database, 'session-put', remove)
    const during = await (consent ? person.follow(consent, redirectUri) : person.get((await second.request({ prompt: 'none' })).url))
    t.truthy(during.location?.searchParams.get('code'))
    t.true(isRemoved())
    const { rows } = await server.resources.database.pool.query(
      `SELECT payload -> 'amr' AS amr, (SELECT count(*)::int FROM json_object_keys(payload -> 'authorizations') AS key WHERE key LIKE $2) AS noted
       FROM oidc_artifacts WHERE kind = 'Session' AND account_id = $1 AND revoked_at IS NULL`,
      [who.id, `${second.clientId}%`],
    )
    t.deepEqual(rows, [{ amr: ['pwd'], noted: 2 }], 'the client is noted, and what the factor proved is not')
    const after = await person.get((await first.request({ prompt: 'none', acr_values: 'urn:authy2:acr:2' })).url)
    t.is(after.location?.searchParams.get('code'), null)
  })

test('a sign-in that cannot be listed is none, and leaves nobody signed in who could not be signed out', async t => {
  const { pool } = server.resources.database
  const portal = await makeClient(server)
  const who = await makeUser(server)
  const person = createPerson({ 'user-agent': 'unlisted' })
  await pool.query("ALTER TABLE sessions ADD CONSTRAINT no_unlisted CHECK (user_agent <> 'unlisted')")
  t.teardown(() => pool.query('ALTER TABLE sessions DROP CONSTRAINT IF EXISTS no_unlisted'))
  const failed = await enterPassword(person, (await open(person, portal)).page, who)
  t.is(failed.status, 500)
  await pool.query('ALTER TABLE sessions DROP CONSTRAINT no_unlisted')
  const silent = await person.get((await portal.request({ prompt: 'none' })).url)
  t.is(silent.location?.searchParams.get('error'), 'login_required')
})

test('of refresh tokens that are redeemed together, by two processes and each many times over, each has one successor', async t => {
  const { database } = server.resources
  const tokens = Array.from({ length: 5 }, () => randomBytes(32))
  const unknown = randomBytes(32)
  await database.prisma.oidcArtifact.createMany({
    data: tokens.map(key => ({ key: new Uint8Array(key), kind: 'RefreshToken', payload: {}, expiresAt: new Date(Date.now() + 60_000) })),
  })
  // A process gathers what is asked in one turn: two that gather apart are as two processes.
  const processes = [createRotate(database), createRotate(database)]
  const tries = Array.from({ length: 20 }, (_, index) => index).flatMap(index =>
    [...tokens, unknown].map(async predecessor => {
      const [sealed, successor] = [Buffer.from(`${index}`), randomBytes(32)]
      const hasWon = await processes[index % 2]?.({ predecessor, sealed, successor, payload: { index }, ttlSeconds: 60 })
      return { predecessor, sealed, successor, hasWon }
    }),
  )
  const won = (await Promise.all(tries)).filter(({ hasWon }) => hasWon)
  t.deepEqual(won.map(({ predecessor }) => nameOf(predecessor)).toSorted(), tokens.map(nameOf).toSorted())
  for (const { predecessor, sealed, successor } of won) {
    const before = await database.prisma.oidcArtifact.findUniqueOrThrow({ where: { key: new Uint8Array(predecessor) } })
    t.deepEqual(Buffer.from(before.successor ?? []), sealed)
    const after = await database.prisma.oidcArtifact.findUniqueOrThrow({ where: { key: new Uint8Array(successor) } })
    t.deepEqual(after.payload, { index: Number(sealed) })
  }
  t.is(await database.prisma.oidcArtifact.count({ where: { kind: 'RefreshToken', payload: { path: ['index'], gte: 0 } } }), won.length)
})

const nameOf = (key: Buffer) => key.toString('hex')

test('of two requests that replace one session at once both keep whose it is', async t => {
  const { database } = server.resources
  if (database.embedded) return t.pass('it has one connection: nothing is at once')
  const { id: accountId } = await makeUser(server)
  const loginTs = Math.ceil(Date.now() / 1000) + 1
  const before = { accountId, uid: `twice-${accountId}`, loginTs, amr: ['pwd'], authorizations: { one: { grantId: 'a' } } }
  const put = (client: Pick<PoolClient, 'query'>, { id, known, added }: { id: string; known?: string; added: object }) => {
    const payload = { ...before, authorizations: { ...before.authorizations, ...added } }
    const { values } = toPut({ id, known: known === undefined ? undefined : { id: known, payload: before }, payload, expiresIn: 600 })
    return client.query(putSession.text, [...values])
  }
  await put(database.pool, { id: 'before', added: {} })
  const holder = await database.pool.connect()
  await holder.query('BEGIN')
  await put(holder, { id: 'first', known: 'before', added: { two: { grantId: 'b' } } })
  const second = put(database.pool, { id: 'second', known: 'before', added: { three: { grantId: 'c' } } })
  await sleep(200)
  await holder.query('COMMIT')
  holder.release()
  await second
  const { rows } = await database.pool.query("SELECT payload FROM oidc_artifacts WHERE kind = 'Session' AND uid = $1", [before.uid])
  t.true(rows.length > 0)
  for (const { payload } of rows) t.like(payload, { accountId, uid: before.uid, loginTs, amr: ['pwd'] })
  t.deepEqual(Object.keys(Object.assign({}, ...rows.map(({ payload }) => payload.authorizations))).toSorted(), ['one', 'three', 'two'])
})

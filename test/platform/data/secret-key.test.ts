// SECRET_KEY is replaced under a running issuer: nobody is signed out, nothing is lost, and what is kept is sealed anew.
import { randomBytes, randomUUID } from 'node:crypto'
import type { RequestListener } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import { decodeJwt } from 'jose'
import * as client from 'openid-client'
import { createApp } from '../../../src/app.ts'
import { readConfig } from '../../../src/config.ts'
import { createUpstreamRequests } from '../../../src/connectors/upstream-requests.ts'
import { systemActor } from '../../../src/platform/actor.ts'
import { openSecrets } from '../../../src/platform/data/lasting-keys.ts'
import { createReseal } from '../../../src/platform/data/reseal.ts'
import { lastingPurposes, purposes } from '../../../src/platform/purposes.ts'
import { createSecrets } from '../../../src/platform/secrets.ts'
import { sealedColumns } from '../../../src/sealed-columns.ts'
import { createServices, type Services } from '../../../src/services.ts'
import { createCalls } from '../../support/calls.ts'
import { plant } from '../../support/canaries.ts'
import { makeClient } from '../../support/clients.ts'
import { testSecretKey } from '../../support/demo-filling.ts'
import { introspect, makeResource } from '../../support/exchange.ts'
import { enrolTotp } from '../../support/factors.ts'
import { createPerson } from '../../support/person.ts'
import { redirectUri } from '../../support/relying-party.ts'
import { unlistedSealed } from '../../support/sealed.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { makeUser } from '../../support/users.ts'

const newKey = plant('another-0123456789-key-of-tests-zyxwvutsrqponmlkjihg')
const columns = sealedColumns.map(({ table, column }) => `${table}.${column}`)
const settings = { RUN_JOBS: 'false', API_REQUESTS_PER_MINUTE: '100000' }

let server: TestServer
let listener: RequestListener | undefined
/** The services of whichever process answers. */
let services: Services
let before: Awaited<ReturnType<typeof fill>>
test.before(async () => {
  server = await startServer({ settings, through: first => (request, response) => (listener ?? first)(request, response) })
  services = server.services
  before = await fill()
})
test.after.always(() => server?.close())

/** From now on a process of other keys answers. */
const become = async (keys: { secretKey: string; previousKeys: readonly string[] }) => {
  const { database } = server.resources
  const secrets = await openSecrets({ database, randomBytes, ...keys })
  const config = readConfig({ NODE_ENV: 'test', ISSUER: server.issuer, SECRET_KEY: keys.secretKey, ...settings })
  const resources = { ...server.resources, secrets }
  services = createServices(resources, config)
  listener = (await createApp({ config, resources, services })).listener
  return secrets
}

/** One of everything that is sealed, digested or signed under SECRET_KEY. */
const fill = async () => {
  const { resources } = server
  const [who, other] = [await makeUser(server), await makeUser(server)]
  const pairwise = await makeClient(server, { metadata: { subject_type: 'pairwise', sector_identifier_uri: 'https://one.example/sector.json' } })
  const resource = await makeResource(server)
  const signedIn = await pairwise.signIn({ who, parameters: { scope: 'openid read', resource } })
  const hmac = await makeClient(server, { authenticationMethod: 'client_secret_jwt', grantTypes: ['client_credentials'] })
  const totp = await enrolTotp(server, other)
  const recovery = await services.recoveryCodes.issue(systemActor, other.id)
  const github = { connector: 'github', settings: { client_id: 'a' }, secrets: { client_secret: plant('a secret of a provider') } }
  const connection = await services.connectionAdministration.create(systemActor, github)
  const upstream = createUpstreamRequests(resources)
  const begun = { state: randomUUID(), connectionId: connection.id, binding: 'a browser' }
  await upstream.begin({ ...begun, returnPath: '/next?a=b', connector: 'github', kept: {}, isAgain: false })
  const returnPath = await upstream.receive({ ...begun, answer: { method: 'GET', query: 'code=x' } })
  const asked = { scopes: ['openid'], claims: [], resources: {}, params: {} }
  const request = { accountId: who.id, isKnown: true, clientId: pairwise.clientId, asked, notificationToken: 'a token', expiresInSeconds: 300 }
  await services.backchannelRequests.ask(systemActor, { ...request, authReqId: randomUUID() })
  const hook = await services.webhooks.create(systemActor, { url: 'https://hooks.example/', events: ['client.created'] })
  plant(hook.secret)
  await services.checkpoints.make()
  await services.webhooks.create(systemActor, { url: 'https://receiver.example/', events: ['backup.restored'] })
  const token = (await ask('POST /auth/login', { body: { email: who.email, password: who.password } })).json.data as { token: string }
  const key = { token: token.token, body: { name: 'Once', permissions: ['users:read'] }, headers: { 'idempotency-key': randomUUID() } }
  await resources.database.pool.query("UPDATE users SET system_role = 'admin' WHERE id = $1", [who.id])
  const made = (await ask('POST /api-keys', key)).json
  const list = (await ask('GET /users?limit=1', key)).json.meta as { next_cursor: string }
  return { who, other, pairwise, signedIn, hmac, totp, recovery, connection, begun, returnPath, key, made, cursor: list.next_cursor }
}

const ask = async (operation: string, { token, body, headers = {} }: { token?: string; body?: unknown; headers?: Record<string, string> }) => {
  const calls = createCalls(server.issuer)
  const [method, path] = operation.split(' ', 2)
  const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const reply = await calls.call(`/api/v1${path}`, {
    method: method as 'GET',
    headers: { ...authorization, ...headers, 'content-type': 'application/json' },
    body: method === 'GET' ? undefined : JSON.stringify(body),
  })
  await calls.close()
  return reply
}

/** Asserts that whatever is kept goes on: client secrets, subjects, factors, answers and the audit log. */
const mustGoOn = async (t: ExecutionContext) => {
  const { pairwise, signedIn, hmac, who, other, totp, recovery } = before
  await client.clientCredentialsGrant(hmac.configuration, {})
  const fresh = await pairwise.signIn({ who, person: createPerson(), parameters: { scope: 'openid' } })
  t.is(fresh.tokens.claims()?.sub, decodeJwt(signedIn.tokens.id_token ?? '').sub, 'the pairwise subject')
  await services.secondFactor.prove(systemActor, { userId: other.id, factor: 'totp', code: await totp.code() })
  await services.secondFactor.prove(systemActor, { userId: other.id, factor: 'recovery_code', code: nextOf(recovery) })
  t.true((await services.verification.verify({})).isIntact, 'the audit log')
  const again = await ask('POST /api-keys', before.key)
  t.is(again.headers['idempotency-replayed'], 'true')
  t.deepEqual(again.json.data, before.made.data)
}
const isActive = async () => (await introspect(before.pairwise, before.signedIn.tokens.access_token)).active
let used = 0
const nextOf = (codes: readonly string[]) => codes[used++] ?? ''

/** Where a browser gets without being asked anything. */
const silently = async () => {
  const { url } = await before.pairwise.request({ scope: 'openid', prompt: 'none' })
  const { person } = before.signedIn
  return (await person.follow(await person.get(url), redirectUri)).location?.searchParams
}

test.serial('every sealed column is on the list, and whatever is sealed in columns has one there', async t => {
  t.deepEqual(await unlistedSealed(server.resources), [])
  const resealed = Object.entries(purposes).flatMap(([purpose, fate]) => (fate === 'resealed' ? purpose : []))
  t.deepEqual([...new Set(sealedColumns.map(({ purpose }) => purpose))].sort(), resealed.sort())
})

test.serial('the lasting keys are made once, however many start at once, and are those of the first SECRET_KEY', async t => {
  const { database } = server.resources
  await database.pool.query("DELETE FROM lasting_keys WHERE purpose IN ('pairwise', 'audit-chain')")
  const starts = [
    { secretKey: newKey, previousKeys: [testSecretKey] },
    { secretKey: testSecretKey, previousKeys: [newKey] },
  ]
  const opened = await Promise.all(Array.from({ length: 20 }, (_, index) => openSecrets({ database, randomBytes, ...(starts[index % 2] ?? never()) })))
  const first = createSecrets({ secretKey: testSecretKey, randomBytes })
  for (const purpose of lastingPurposes) for (const one of opened) t.deepEqual(one.derive(purpose), first.derive(purpose), purpose)
})

test.serial('a process without the key that a database was begun under does not start, and writes nothing', async t => {
  const { database } = server.resources
  const start = () => openSecrets({ database, secretKey: newKey, previousKeys: [], randomBytes })
  await t.throwsAsync(start(), { code: 'secret_key_changed' })
  const { rows } = await database.pool.query('DELETE FROM lasting_keys RETURNING *')
  await t.throwsAsync(start(), { code: 'secret_key_changed' })
  t.is((await database.pool.query('SELECT 1 FROM lasting_keys')).rowCount, 0)
  for (const { purpose, sealed } of rows) await database.pool.query('INSERT INTO lasting_keys (purpose, sealed) VALUES ($1, $2)', [purpose, sealed])
})

test.serial('with the old key beside the new one everything goes on: sessions, tokens, cursors, factors, subjects and the audit log', async t => {
  await become({ secretKey: newKey, previousKeys: [testSecretKey] })
  await mustGoOn(t)
  t.true(await isActive(), 'a JWT access token')
  t.truthy((await silently())?.get('code'), 'a session')
  t.is((await ask(`GET /users?limit=1&after=${before.cursor}`, before.key)).status, 200)
})

test.serial('how many values are still under the old key is told by column', async t => {
  const counts = await services.reseal.countOlder()
  t.deepEqual(Object.keys(counts).sort(), [...columns].sort())
  t.deepEqual(await services.reseal.countOlder({ batch: 1 }), counts, 'also where a table is looked at in many pieces')
})

test.serial('what somebody changes while it is sealed anew stays as they left it', async t => {
  const { database } = server.resources
  const secrets = await become({ secretKey: newKey, previousKeys: [testSecretKey] })
  const changed = { client_secret: plant('a newer secret of a provider') }
  let isChanged = false
  const run: typeof database.run = async (statement, values) => {
    const rows = await database.run(statement, values)
    if (statement.name === 'sealed-find-connections.secrets' && !isChanged) {
      isChanged = true
      await services.connectionAdministration.update(systemActor, { id: before.connection.id }, { secrets: changed })
    }
    return rows as never
  }
  const list = sealedColumns.filter(({ table }) => table === 'connections')
  const { resealed } = await createReseal({ database: { ...database, run }, change: services.change, secrets, columns: list }).run(systemActor)
  const { rows } = await database.pool.query('SELECT secrets FROM connections WHERE id = $1', [before.connection.id])
  t.deepEqual(JSON.parse(secrets.unseal('connection', rows[0].secrets, `connections.secrets:${before.connection.id}`)), changed)
  t.deepEqual(resealed, {})
})

test.serial('a run that is broken off has told of the columns that it had finished', async t => {
  const { database } = server.resources
  const secrets = await become({ secretKey: newKey, previousKeys: [testSecretKey] })
  const [first = never(), second = never()] = columns
  const run: typeof database.run = (statement, values) =>
    statement.name === `sealed-find-${second}` ? Promise.reject(new Error('broken off')) : database.run(statement, values)
  const list = [first, second].map(name => sealedColumns.find(({ table, column }) => name === `${table}.${column}`) ?? never())
  const { [first]: count } = await services.reseal.countOlder()
  const broken = createReseal({ database: { ...database, run }, change: services.change, secrets, columns: list }).run(systemActor)
  await t.throwsAsync(broken, { message: 'broken off' })
  const { rows } = await database.pool.query("SELECT target FROM audit_events WHERE action = 'secret_key.resealed' ORDER BY id DESC LIMIT 1")
  t.deepEqual(rows[0]?.target, { resealed: { [first]: count } })
})

test.serial('of twenty runs at once each value is sealed anew by one, in batches, and one event tells of each column of a run', async t => {
  const counts = await services.reseal.countOlder()
  const events = async () => (await server.resources.database.pool.query("SELECT 1 FROM audit_events WHERE action = 'secret_key.resealed'")).rowCount ?? 0
  const eventsBefore = await events()
  const runs = await Promise.all(Array.from({ length: 20 }, () => services.reseal.run(systemActor, { batch: 3 })))
  const total: Record<string, number> = {}
  for (const { resealed } of runs) for (const [name, count] of Object.entries(resealed)) total[name] = (total[name] ?? 0) + count
  t.deepEqual(total, counts)
  t.true(runs.every(({ unreadable }) => Object.keys(unreadable).length === 0))
  t.is(
    (await events()) - eventsBefore,
    runs.reduce((sum, { resealed }) => sum + Object.keys(resealed).length, 0),
  )
  t.deepEqual(await services.reseal.countOlder(), {})
  t.deepEqual(await services.reseal.run(systemActor), { resealed: {}, unreadable: {} })
})

test.serial('without the old key what is kept goes on, and a session that came back meanwhile does', async t => {
  const secrets = await become({ secretKey: newKey, previousKeys: [] })
  await mustGoOn(t)
  t.false(await isActive(), 'its reference is lost, which is no error')
  t.truthy((await silently())?.get('code'))
  const ticket = new URL(before.returnPath ?? '', server.issuer).searchParams.get('answer') ?? ''
  const taken = await createUpstreamRequests({ ...server.resources, secrets }).take({ ...before.begun, ticket })
  t.like(taken, { connector: 'github', answer: { method: 'GET', query: 'code=x' } })
})

test.serial('what opens under none of the keys is told, and left as it is', async t => {
  const { pool } = server.resources.database
  await pool.query("UPDATE jobs SET payload = 'v2.unknown1.' || repeat('A', 80) WHERE id = (SELECT id FROM jobs LIMIT 1)")
  t.deepEqual(await services.reseal.run(systemActor), { resealed: {}, unreadable: { 'jobs.payload': 1 } })
  t.deepEqual(await services.reseal.countOlder(), { 'jobs.payload': 1 })
})

const never = (): never => {
  throw new Error('there are two')
}

// The log over the API: listed and filtered, exported as lines with all that is needed to compute the chain anew, verified, and kept from nobody for long.

import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { decodeProtectedHeader, importJWK, jwtVerify } from 'jose'
import { createSlots } from '../../src/audit/slots.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { type ApiReply, startApi, type TestApi } from '../support/api.ts'
import { sha256 } from '../support/audit.ts'
import { until } from '../support/until.ts'

let api: TestApi
let admin: { token: string; id: string }
let owner: { token: string; id: string }
let organization: string
test.before(async () => {
  api = await startApi()
  admin = await api.signIn()
  owner = await api.signIn()
  await api.server.services.userAdministration.update(systemActor, admin.id as never, { isAdmin: true })
  organization = (await api.ask('POST /organizations', { token: owner.token, body: { name: 'Exported «für» alle' } })).data.id
  await api.ask(`POST /organizations/${organization}/members`, { token: owner.token, body: { user_id: admin.id, role: 'member' } })
  await sleep(1100)
})
test.after.always(() => api?.close())

// biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects to be there.
type Line = any

const exported = async (path: string, token = admin.token): Promise<{ type: unknown; lines: Line[] }> => {
  const { body, headers, status } = await api.calls.call(`/api/v1${path}`, { headers: { authorization: `Bearer ${token}` } })
  if (status !== 200) throw new Error(`${path} answered ${status}: ${body}`)
  return {
    type: headers['content-type'],
    lines: body
      .split('\n')
      .slice(0, -1)
      .map(line => JSON.parse(line)),
  }
}

const listed = async (path: string, token = admin.token) => {
  const all: Line[] = []
  for (let after = ''; ; ) {
    const { data, meta }: ApiReply = await api.ask(`GET ${path}${path.includes('?') ? '&' : '?'}limit=100&sort=occurred_at${after}`, { token })
    all.push(...data)
    if (!meta?.next_cursor) return all
    after = `&after=${meta.next_cursor}`
  }
}

const byId = (lines: Line[]) => lines.toSorted((a, b) => (a.id < b.id ? -1 : 1))
const withoutPrevious = ({ previous: _previous, ...line }: Line) => line

// RFC 8785 in a few lines, as an outsider would write it.
const canonical = (value: Line): string => {
  if (Array.isArray(value)) return `[${value.map(canonical)}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const keys = Object.keys(value).sort()
  return `{${keys.map(key => `${JSON.stringify(key)}:${canonical(value[key])}`)}}`
}

test.serial('an export holds what the list holds, with the same filters, the oldest first', async t => {
  const { type, lines } = await exported(`/organizations/${organization}/audit-logs/export`, owner.token)
  t.is(type, 'application/x-ndjson')
  t.deepEqual(
    lines.map(({ action }) => action),
    ['organization.created', 'organization.member_added'],
  )
  t.deepEqual(lines.map(withoutPrevious), await listed(`/organizations/${organization}/audit-logs`, owner.token))
  for (const filter of [`actor=${owner.id}`, 'action=user.created', `organization=${organization}`, `to=${encodeURIComponent(lines[0].occurred_at)}`])
    t.deepEqual(byId((await exported(`/audit-logs/export?${filter}`)).lines.map(withoutPrevious)), byId(await listed(`/audit-logs?${filter}`)), filter)
  t.deepEqual((await exported('/audit-logs/export?action=none')).lines, [])
})

test.serial('an export of the system goes chain by chain, and each chain in its order without a gap', async t => {
  const { lines } = await exported('/audit-logs/export')
  t.deepEqual(
    lines.map(({ organization_id, seq }) => [organization_id ?? '', seq]),
    [...Map.groupBy(lines, ({ organization_id }) => organization_id ?? '')]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([chain, own]) => own.map((_, index) => [chain, index + 1])),
  )
})

test.serial('events from before there were chains are exported first, those of each organization by their times', async t => {
  const { pool } = api.server.resources.database
  const insert = (organizationId: string | null, at: string) =>
    pool.query(
      `INSERT INTO audit_events (id, organization_id, occurred_at, action, outcome, actor_kind, target_kind, target)
       VALUES (gen_random_uuid(), $1, $2, 'old', 'kept', 'system', 'thing', '{}')`,
      [organizationId, at],
    )
  for (const [organizationId, at] of [
    [organization, '2020-02-01T00:00:00.000Z'],
    [organization, '2020-01-01T00:00:00.000Z'],
    [null, '2020-03-01T00:00:00.000Z'],
  ] as const)
    await insert(organizationId, at)
  const { lines } = await exported('/audit-logs/export')
  t.deepEqual(
    lines.slice(0, 4).map(({ occurred_at, seq }) => (seq > 0 ? seq : occurred_at)),
    ['2020-03-01T00:00:00.000Z', '2020-01-01T00:00:00.000Z', '2020-02-01T00:00:00.000Z', 1],
  )
  t.is((await exported(`/organizations/${organization}/audit-logs/export?action=old`, owner.token)).lines.length, 2)
  await pool.query("DELETE FROM audit_events WHERE action = 'old'")
})

test.serial('anybody can compute the chains of an export anew', async t => {
  const { lines } = await exported('/audit-logs/export')
  const chains = Map.groupBy(lines, line => line.organization_id ?? '00000000-0000-0000-0000-000000000000')
  t.true(chains.size >= 2)
  for (const [chain, events] of chains) {
    let hash = sha256('authy2 audit chain\0', chain)
    for (const { seq, previous, hash: told, ...event } of events.toSorted((a, b) => a.seq - b.seq)) {
      t.is(previous, hash.toString('hex'))
      hash = sha256(hash, sha256(canonical(event)))
      t.is(told, hash.toString('hex'), `${chain} ${seq}`)
    }
  }
})

test.serial('who may not read the log may not export it, nor see its checkpoints, nor have it verified', async t => {
  const stranger = await api.signIn()
  for (const path of ['export', 'checkpoints'] as const) {
    t.is((await api.ask(`GET /audit-logs/${path}`, { token: owner.token })).status, 403)
    t.is((await api.ask(`GET /organizations/${organization}/audit-logs/${path}`, { token: stranger.token })).status, 404)
    t.is((await api.ask(`GET /audit-logs/${path}`)).status, 401)
  }
  t.is((await api.ask('POST /audit-logs/verify', { token: owner.token, body: {} })).status, 403)
  t.is((await api.ask(`POST /organizations/${organization}/audit-logs/verify`, { token: stranger.token, body: {} })).status, 404)
  t.is((await api.ask('GET /audit-logs/export?limit=5', { token: admin.token })).status, 400)
  t.is((await api.ask('POST /audit-logs/verify', { token: admin.token, body: { organisation: organization } })).status, 400)
})

test.serial('a checkpoint can be checked by anybody, and the log be held against it', async t => {
  await api.server.services.checkpoints.make()
  const { data, meta } = await api.ask(`GET /organizations/${organization}/audit-logs/checkpoints`, { token: owner.token })
  t.is(meta?.total, 1)
  t.like(data[0], { organization_id: organization, number: 1, seq: 2 })
  const { jwk = {} } = decodeProtectedHeader(data[0].jws)
  const { payload, protectedHeader } = await jwtVerify(data[0].jws, await importJWK(jwk, 'EdDSA'))
  t.is(protectedHeader.typ, 'audit-checkpoint+jwt')
  t.like(payload, { organization_id: organization, number: 1, seq: 2, hash: data[0].hash, previous: null })
  t.is(data[0].hash, (await exported(`/organizations/${organization}/audit-logs/export`, owner.token)).lines[1].hash)
  const own = await api.ask(`POST /organizations/${organization}/audit-logs/verify`, { token: owner.token, body: { checkpoint: data[0].jws } })
  t.deepEqual(own.data, { intact: true, events: 2, chains: 1, faults: [] })
  const all = await api.ask('POST /audit-logs/verify', { token: admin.token, body: { checkpoint: data[0].jws } })
  t.true(all.data.intact, JSON.stringify(all.data.faults))
  t.is((await api.ask('GET /audit-logs/checkpoints', { token: admin.token })).meta?.total, all.data.chains)
  const ofSystem = await api.ask('GET /audit-logs/checkpoints?limit=1&organization=00000000-0000-0000-0000-000000000000', { token: admin.token })
  t.like(ofSystem.data[0], { organization_id: null, number: 1 })
})

test.serial('an export that fails midway is cut off, and no whole answer', async t => {
  await api.server.services.change({ ...systemActor, organizationId: organization }, async (_tx, record) => {
    for (let n = 0; n < 600; n += 1) record('organization.deleted', { id: organization, slug: 'x'.repeat(200), name: 'y' })
  })
  await api.server.resources.database.pool.query(
    "UPDATE audit_events SET outcome = 'kept', target = '[1]', action = 'x', organization_id = $1, id = 'ffffffff-ffff-7fff-bfff-ffffffffffff', occurred_at = 'infinity' WHERE organization_id = $1 AND seq = (SELECT max(seq) FROM audit_events WHERE organization_id = $1)",
    [organization],
  )
  await t.throwsAsync(exported(`/organizations/${organization}/audit-logs/export`, owner.token), { message: /closed|terminated|aborted|socket/i })
  const { data } = await api.ask(`POST /organizations/${organization}/audit-logs/verify`, { token: owner.token, body: {} })
  t.deepEqual([data.intact, data.faults[0].kind, data.faults[0].organization_id], [false, 'edited', organization])
  await api.server.resources.database.pool.query("DELETE FROM audit_events WHERE occurred_at = 'infinity'")
})

const log = async (query: string) => api.ask(`GET /audit-logs?${query}`, { token: admin.token })
const actions = (reply: { data: { action: string }[] }) => reply.data.map(({ action }) => action)

test('a change writes one event with who, what, whom and from where', async t => {
  const made = await api.ask('POST /users', {
    token: admin.token,
    body: { email: 'audited@people.example', password: 'a phrase that nobody may see' },
    headers: { 'user-agent': 'a test', 'x-request-id': 'a0000000-0000-4000-8000-000000000001' },
  })
  const { data, meta } = await log(`target=${made.data.id}`)
  t.is(meta?.total, 1)
  t.like(data[0], { action: 'user.created', outcome: 'kept', user_agent: 'a test', request_id: 'a0000000-0000-4000-8000-000000000001' })
  t.deepEqual(data[0].actor, { type: 'user', id: admin.id })
  t.deepEqual(data[0].target, { type: 'user', id: made.data.id, details: { email: 'audited@people.example', name: null } })
  t.truthy(data[0].ip)
  t.false(JSON.stringify(await log(`actor=${admin.id}`)).includes('nobody may see'))
})

test('the log is filtered by action, outcome and time, and read page by page in either order', async t => {
  const { id, email } = await api.signIn()
  await api.ask('POST /auth/login', { body: { email, password: 'not the password' } })
  t.is((await log(`target=${id}&action=sign_in.refused`)).meta?.total, 1)
  t.is((await log(`target=${id}&outcome=refused`)).data[0].action, 'sign_in.refused')
  await api.ask(`POST /users/${id}/suspend`, { token: admin.token })
  const newest = await log(`target=${id}&limit=2`)
  t.is(newest.data[0].action, 'user.suspended')
  const all: string[] = []
  let after = ''
  do {
    const page = await log(`target=${id}&limit=2&sort=occurred_at${after && `&after=${after}`}`)
    all.push(...actions(page))
    after = page.meta?.next_cursor ?? ''
  } while (after)
  t.is(all[0], 'user.created')
  t.is(all.at(-1), 'user.suspended')
  t.is(newest.meta?.total, all.length)
  const at = encodeURIComponent(newest.data[0].occurred_at)
  t.deepEqual(actions(await log(`target=${id}&from=${at}`)), ['user.suspended'])
  t.false(actions(await log(`target=${id}&to=${at}`)).includes('user.suspended'))
  t.is((await log(`target=${id}&limit=2&after=${newest.meta?.next_cursor}x`)).status, 400)
  t.is((await log('from=yesterday')).status, 400)
  for (const time of ['0000-01-01T00:00:00Z', '9999-12-31T23:59:59-23:59']) t.is((await log(`from=${encodeURIComponent(time)}`)).status, 400, time)
  t.is((await log('from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z&limit=1')).status, 200)
})

test('an organization reads its own log and no other', async t => {
  const [owner, member, other] = [await api.signIn(), await api.signIn(), await api.signIn()]
  const { data } = await api.ask('POST /organizations', { token: owner.token, body: { name: 'Audited' } })
  const base = `/organizations/${data.id}`
  await api.ask(`POST ${base}/members`, { token: owner.token, body: { user_id: member.id, role: 'member' } })
  await api.ask(`POST ${base}/clients`, { token: owner.token, body: { name: 'Audited client', grant_types: ['client_credentials'] } })
  await api.ask(`DELETE ${base}/members/${member.id}`, { token: owner.token })
  const read = (token: string) => api.ask(`GET ${base}/audit-logs`, { token })
  t.deepEqual(actions(await read(owner.token)), ['organization.member_removed', 'client.created', 'organization.member_added', 'organization.created'])
  t.is((await read(other.token)).status, 404)
  t.is((await api.ask('GET /audit-logs', { token: owner.token })).status, 403)
  t.is((await log(`organization=${data.id}`)).meta?.total, 4)
  t.is((await api.ask(`GET ${base}/audit-logs?organization=${data.id}`, { token: owner.token })).status, 400)
})

test('a member who is no admin does not read the log', async t => {
  const [owner, member] = [await api.signIn(), await api.signIn()]
  const { data } = await api.ask('POST /organizations', { token: owner.token, body: { name: 'Not for all' } })
  await api.ask(`POST /organizations/${data.id}/members`, { token: owner.token, body: { user_id: member.id } })
  t.is((await api.ask(`GET /organizations/${data.id}/audit-logs`, { token: member.token })).status, 403)
})

test('an organization has one slot, all of them have so many, and the system its own', t => {
  const slots = createSlots({ organizations: 2, system: 1 })
  const giveBack = slots.take('a')
  t.like(
    t.throws(() => slots.take('a')),
    { code: 'busy', retryAfterSeconds: 10 },
  )
  slots.take('b')
  t.throws(() => slots.take('c'))
  const giveBackOfSystem = slots.take(undefined)
  t.throws(() => slots.take(undefined))
  giveBack()
  giveBackOfSystem()
  t.notThrows(() => [slots.take('c'), slots.take(undefined)])
})

test.serial('a long export is sent as it is taken, is the only one of its organization, and ends when the caller leaves', async t => {
  const [admin, owner, other] = [await api.signIn(), await api.signIn(), await api.signIn()]
  const { services, resources, issuer } = api.server
  await services.userAdministration.update(systemActor, admin.id as never, { isAdmin: true })
  const make = async (token: string, name: string) => (await api.ask('POST /organizations', { token, body: { name } })).data.id as string
  const [organization, others] = [await make(owner.token, 'Exports'), await make(other.token, 'Others')]
  await services.change({ ...systemActor, organizationId: organization }, async (_tx, record) => {
    for (let n = 0; n < 5000; n += 1) record('organization.deleted', { id: organization, slug: 'x'.repeat(900), name: 'y' })
  })
  const read = async (path: string, token: string) => {
    const { status, body, headers } = await api.calls.call(`/api/v1${path}`, { headers: { authorization: `Bearer ${token}` } })
    return { status, headers, lines: body.split('\n').length - 1 }
  }
  const path = `/organizations/${organization}/audit-logs/export`
  const opened = resources.database.roundTrips()
  const asked = request(new URL(`${issuer}/api/v1${path}`), { headers: { authorization: `Bearer ${owner.token}` } })
  asked.on('error', () => undefined).end()
  const [answer]: IncomingMessage[] = await once(asked, 'response')
  answer?.once('data', () => answer.pause())
  await until(async () => (await read(path, owner.token)).status === 503)
  // Pages of 500; of eleven no more than what fits between us was read.
  const trips = resources.database.roundTrips() - opened
  t.true(trips < 20, `${trips} statements`)
  t.is((await read(path, owner.token)).headers['retry-after'], '10')
  t.is((await read(`/organizations/${others}/audit-logs/export`, other.token)).lines, 1)
  t.true((await read('/audit-logs/export?action=none', admin.token)).status === 200)
  asked.destroy()
  await until(async () => (await read(path, owner.token)).status === 200)
  for (let round = 0; round < 3; round += 1) t.is((await read(path, owner.token)).lines, 5001)
})

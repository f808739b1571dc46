// The log leaves the house: as lines with all that is needed to compute the chain anew, and with signed checkpoints; and it is verified over the API.
import test from 'ava'
import { decodeProtectedHeader, importJWK, jwtVerify } from 'jose'
import { systemActor } from '../../src/platform/actor.ts'
import { type ApiReply, startApi, type TestApi } from '../support/api.ts'
import { sha256 } from '../support/audit.ts'

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
})

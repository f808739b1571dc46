// No statement of a hot request walks through a whole table or index, however large it grows: each that was sent is explained.
import test from 'ava'
import * as client from 'openid-client'
import pg from 'pg'
import { populate } from '../../../scripts/bench/population.ts'
import { makeAdmin, startApi, type TestApi } from '../../support/api.ts'
import { makeClient } from '../../support/clients.ts'
import { alice, bob } from '../../support/relying-party.ts'

interface Sent {
  readonly text: string
  readonly values: readonly unknown[]
}

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Cond'?: string
  readonly 'Recheck Cond'?: string
  readonly Plans?: readonly PlanNode[]
}

// What an operator sets up stays small: the planner may read it as it likes.
const small = ['signing_keys', 'connections', 'resource_servers', 'audit_anchors']
// Of a table of one page the planner takes any index: that it is the right one shows where there are many rows.
const large = ['users', 'organizations', 'organization_members', 'clients', 'client_secrets', 'oidc_artifacts', 'sessions', 'audit_events', 'authenticators']

let api: TestApi
const sent = new Map<string, Sent>()
const send = pg.Client.prototype.query
test.before(async () => {
  api = await startApi()
  const { database } = api.server.resources
  // On tables of a page the planner takes any index.
  await database.unwatched(() =>
    populate(statement => database.pool.query(statement), { users: 2000, organizations: 100, clients: 300, events: 2000, artifacts: 2000 }),
  )
})
test.after.always(async () => {
  pg.Client.prototype.query = send
  await api?.close()
})

// Connections take the function when they are made, so it stands there before the first.
let isListening = false
pg.Client.prototype.query = function (this: pg.Client, ...query: unknown[]) {
  const [first, second] = query as [string | { text?: string; values?: readonly unknown[] } | undefined, readonly unknown[] | undefined]
  const text = typeof first === 'string' ? first : (first?.text ?? '')
  const values = (typeof first === 'string' ? undefined : first?.values) ?? (Array.isArray(second) ? second : [])
  if (isListening && !sent.has(text)) sent.set(text, { text, values })
  return (send as (...query: unknown[]) => unknown).apply(this, query)
} as typeof send

/** Keeps what is sent while `work` runs, each text once, with the values of its first time. */
const listening = async (work: () => Promise<unknown>) => {
  isListening = true
  await work()
  isListening = false
}

const plannable = ({ text }: Sent) => /^\s*(SELECT|UPDATE|DELETE|INSERT|WITH)\b/i.test(text)

/** What the plan reads from its first entry to its last, although nobody asked for so many: `Node Type` and table. */
const walks = (node: PlanNode, isBounded = false): string[] => {
  const type = node['Node Type']
  const table = node['Relation Name'] ?? ''
  const isWholeIndex = /^Index (Only )?Scan/.test(type) && node['Index Cond'] === undefined && !isBounded
  const here = (type === 'Seq Scan' && !small.includes(table)) || (isWholeIndex && large.includes(table)) ? [`${type} of ${table}`] : []
  return [...here, ...(node.Plans ?? []).flatMap(child => walks(child, isBounded || type === 'Limit'))]
}

const planOf = async ({ text, values }: Sent) => {
  const { rows } = await api.server.resources.database.pool.query({ text: `EXPLAIN (FORMAT JSON) ${text}`, values: [...values] })
  const [{ Plan: plan }] = rows[0]['QUERY PLAN'] as [{ Plan: PlanNode }]
  return plan
}

const explain = async (one: Sent) => walks(await planOf(one))

/** By what a table is entered. */
const conditions = ({ Plans: plans = [], ...node }: PlanNode): string[] => [node['Index Cond'] ?? [], plans.flatMap(conditions)].flat()

const protocol = async () => {
  const relyingParty = await makeClient(api.server, { isFirstParty: false, grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'] })
  const { configuration } = relyingParty
  const service = await makeClient(api.server, { grantTypes: ['client_credentials'] })
  const administrator = await makeAdmin(api)
  const { id } = (await api.ask('GET /users/me', { token: administrator })).data
  await listening(async () => {
    const { person, tokens } = await relyingParty.signIn({ parameters: { scope: 'openid email offline_access organizations', prompt: 'consent' } })
    await relyingParty.signIn({ person, parameters: { scope: 'openid email', prompt: 'none' } })
    await relyingParty.signIn({ who: alice, parameters: { scope: 'openid email organization', organization: 'acme-corp' } })
    const refreshed = await client.refreshTokenGrant(configuration, tokens.refresh_token ?? '')
    await client.fetchUserInfo(configuration, refreshed.access_token, client.skipSubjectCheck)
    await client.tokenIntrospection(configuration, refreshed.access_token)
    await client.tokenIntrospection(configuration, refreshed.refresh_token ?? '')
    await client.refreshTokenGrant(configuration, tokens.refresh_token ?? '').catch(() => undefined)
    await client.tokenRevocation(configuration, refreshed.refresh_token ?? '')
    await client.clientCredentialsGrant(service.configuration)
    await api.ask('POST /auth/login', { body: { email: bob.email, password: 'this is not it at all' } })
    await api.signIn({ email: bob.email }).catch(() => undefined)
    await api.ask('POST /auth/password/forgot', { body: { email: bob.email } })
    for (const path of [
      '/auth/me',
      '/auth/sessions',
      '/users/me/organizations',
      '/users/me/grants',
      '/users/me/factors',
      `/users/${id}`,
      `/users/${id}/sessions`,
    ])
      await api.ask(`GET ${path}`, { token: administrator })
    await api.ask(`PATCH /users/${id}`, { token: administrator, body: { name: 'Somebody' } })
    await api.ask('POST /auth/logout', { token: administrator })
  })
}

test.serial('what a webhook was told of one event is found by it, however much it was told of others', async t => {
  const { pool } = api.server.resources.database
  const token = await makeAdmin(api)
  const { data } = await api.ask('POST /webhooks', { token, body: { url: 'https://hooks.example/', events: ['user.created'] } })
  const { id } = data.webhook
  await pool.query(
    `INSERT INTO webhook_deliveries (webhook_id, event_id, action, state)
     SELECT $1, gen_random_uuid(), CASE WHEN n % 100 = 0 THEN 'user.created' ELSE 'session.created' END, 'delivered' FROM generate_series(1, 3000) n`,
    [id],
  )
  await pool.query('ANALYZE webhook_deliveries')
  await listening(async () => t.is((await api.ask(`GET /webhooks/${id}/deliveries?event=user.created`, { token })).meta?.total, 30))
  const asked = [...sent.values()].filter(one => plannable(one) && one.text.includes('webhook_deliveries') && JSON.stringify(one.values).includes(id))
  t.is(asked.length, 2)
  for (const one of asked) t.regex(String(conditions(await planOf(one))), /action = /, one.text)
})

test('every statement of sign-ins, tokens and calls of the API finds its rows by an index', async t => {
  await protocol()
  const statements = [...sent.values()].filter(plannable)
  t.true(statements.length > 40)
  const whole: string[] = []
  for (const one of statements) whole.push(...(await explain(one)).map(walk => `${walk}: ${one.text}`))
  t.deepEqual(whole, [])
})

test('a statement that no index helps would be found', async t => {
  t.deepEqual(await explain({ text: 'SELECT 1 FROM users WHERE name = $1', values: ['nobody'] }), ['Seq Scan of users'])
  t.deepEqual(await explain({ text: 'SELECT id FROM users ORDER BY created_at, id', values: [] }), ['Index Only Scan of users'])
})

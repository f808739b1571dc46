// Who may do what: the door answers each kind of caller as declared, what is behind it as reviewed, and no body sets a column that it does not name.

import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { z } from 'zod'
import { isPermission, organizationPermissionNames, type Permission, permissions, permissionTable } from '../../src/api/permissions.ts'
import { systemActor } from '../../src/platform/actor.ts'
import type { Route } from '../../src/platform/http/route.ts'
import { startApi, type TestApi } from '../support/api.ts'
import { type Cast, makeCast } from '../support/cast.ts'

let api: TestApi
let cast: Cast
test.before(async () => {
  api = await startApi()
  cast = await makeCast(api)
  const { organizations, apiKeys, roles, members } = api.server.services
  const { pool } = api.server.resources.database
  const [owner, admin, member, foreign, root, suspended] = [
    await api.signIn(),
    await api.signIn(),
    await api.signIn(),
    await api.signIn(),
    await api.signIn(),
    await api.signIn(),
  ]
  const ours = await organizations.create(systemActor, { slug: 'cells-1', name: 'Ours', ownerId: owner.id })
  await organizations.create(systemActor, { slug: 'cells-2', name: 'Theirs', ownerId: foreign.id })
  organizationId = ours.id
  for (const [person, role] of [
    [admin, 'admin'],
    [member, 'member'],
    [suspended, 'owner'],
  ] as const)
    await pool.query('INSERT INTO organization_members (organization_id, user_id, role, updated_at) VALUES ($1, $2, $3, now())', [ours.id, person.id, role])
  await pool.query("UPDATE users SET system_role = 'admin' WHERE id = $1", [root.id])
  await pool.query('UPDATE users SET suspended_at = now() WHERE id = $1', [suspended.id])
  const { key } = await apiKeys.create(systemActor, { name: 'Powerless', permissions: [] })
  const single: Caller[] = []
  for (const only of organizationPermissionNames) {
    const { id, token } = await api.signIn()
    const role = only.replace(/[^a-z]/g, '-')
    await roles.create(systemActor, { organizationId: ours.id, name: role, permissions: [only] })
    await members.add(systemActor, { organizationId: ours.id, userId: id, role })
    single.push({ name: `role with ${only} alone`, token, only })
  }
  callers = [
    { name: 'nobody' },
    { name: 'member', token: member.token, role: 'member' },
    { name: 'admin', token: admin.token, role: 'admin' },
    { name: 'owner', token: owner.token, role: 'owner' },
    { name: "other organization's owner", token: foreign.token, roleElsewhere: 'owner' },
    { name: 'system admin', token: root.token, isSystemAdmin: true },
    { name: 'API key without the permission', token: key, isKey: true },
    { name: 'suspended user', token: suspended.token, isSuspended: true },
    ...single,
  ]
})
test.after.always(() => api?.close())

const folder = fileURLToPath(new URL('../../prisma/schema', import.meta.url))
const schema = readdirSync(folder).map(file => readFileSync(`${folder}/${file}`, 'utf8'))
/** The names of all fields of the schema and of their columns, and what attackers try beside them. */
const columns = [
  ...new Set([
    ...schema.flatMap(text => [...text.matchAll(/^ {2}(\w+) +[A-Z]\w+/gm)].map(([, name = '']) => name)),
    ...schema.flatMap(text => [...text.matchAll(/@map\("(\w+)"\)/g)].map(([, name = '']) => name)),
    ...['is_admin', 'isAdmin', 'admin', 'roles', 'password_hash', 'constructor', 'actor', 'tenant', '$set'],
  ]),
]
const ids: Readonly<Record<string, string>> = { ':userId': 'member', ':roleId': 'managerRole', ':clientId': 'clientA', ':secretId': 'none' }
const firstIds: readonly (readonly [RegExp, string])[] = [
  [/^\/users/, 'stranger'],
  [/^\/clients/, 'clientA'],
  [/^\/organizations/, 'A'],
]
const addressOf = ({ path }: Route) => {
  const first = firstIds.find(([begin]) => begin.test(path))?.[1] ?? 'none'
  return path.replace(/:\w+/g, name => cast.ids[ids[name] ?? first] ?? '')
}
const keysOf = (body: unknown): readonly string[] => {
  if (body instanceof z.ZodUnion) return body.options.flatMap(keysOf)
  return body instanceof z.ZodObject ? Object.keys(body.shape) : []
}
const kept = async () => {
  const { prisma } = api.server.resources.database
  const withoutUse = (rows: readonly object[]) => rows.map(row => ({ ...row, lastUsedAt: undefined, lastSeenAt: undefined }))
  const tables = await Promise.all([
    prisma.user.findMany({ orderBy: { id: 'asc' } }),
    prisma.organization.findMany({ orderBy: { id: 'asc' } }),
    prisma.organizationMember.findMany({ orderBy: [{ organizationId: 'asc' }, { userId: 'asc' }] }),
    prisma.organizationRole.findMany({ orderBy: { id: 'asc' } }),
    prisma.client.findMany({ orderBy: { id: 'asc' } }),
    prisma.clientSecret.findMany({ orderBy: { id: 'asc' } }),
    prisma.apiKey.findMany({ orderBy: { id: 'asc' } }),
    prisma.session.findMany({ orderBy: { id: 'asc' } }),
    prisma.authenticationMethod.findMany({ orderBy: { id: 'asc' } }),
    prisma.auditEvent.findMany({ orderBy: { id: 'asc' } }),
  ])
  return tables.map(withoutUse)
}

test.serial('no column is taken that the body does not name', async t => {
  t.true(columns.length > 120)
  const writing = api.server.app.api.routes.filter(({ method }) => ['POST', 'PATCH', 'PUT'].includes(method))
  const before = await kept()
  let asked = 0
  for (const one of writing) {
    const known = keysOf(one.body)
    const address = `${one.method} ${addressOf(one)}`
    const unknown = columns.filter(name => !known.includes(name))
    const { status, error } = await api.ask(address, { token: cast.tokens.root, body: Object.fromEntries(unknown.map(name => [name, 'taken'])) })
    t.is(status, 400, address)
    const refused = new Set(error?.details.fields?.map(({ path }) => path))
    t.deepEqual(
      unknown.filter(name => !refused.has(name)),
      [],
      `${address} refuses each by its name`,
    )
    asked += unknown.length
    // A prototype is no key of ours either.
    t.is((await api.ask(address, { token: cast.tokens.root, body: JSON.parse('[{"role":"owner"}]') })).status, 400)
  }
  t.deepEqual(await kept(), before)
  t.log(`${asked} cells: ${writing.length} operations × ${columns.length} columns, less what each body names`)
})

type Row = readonly [caller: string, operation: string, status: number, body?: Readonly<Record<string, unknown>>]

const github = { connector: 'github', settings: { client_id: 'a' }, secrets: { client_secret: 'b' } }

// `{name}` stands for an id of the cast.
const table: Readonly<Record<string, readonly Row[]>> = {
  'only people who are administrators touch administrators of the system': [
    ['systemKey', 'POST /users', 403, { email: 'minted@people.example', system_role: 'admin' }],
    ['systemKey', 'POST /users', 201, { email: 'plain@people.example', system_role: null }],
    ['systemKey', 'PATCH /users/{stranger}', 403, { system_role: 'admin' }],
    ['systemKey', 'PATCH /users/{stranger}', 200, { system_role: null }],
    ['systemKey', 'PATCH /users/{otherRoot}', 403, { email: 'taken-over@people.example' }],
    ['systemKey', 'PATCH /users/{otherRoot}', 403, { system_role: null }],
    ['systemKey', 'POST /users/{otherRoot}/password', 403, { password: 'quite another long phrase' }],
    ['systemKey', 'POST /users/{otherRoot}/suspend', 403],
    ['systemKey', 'POST /users/{otherRoot}/activate', 403],
    ['systemKey', 'DELETE /users/{otherRoot}/sessions', 403],
    ['systemKey', 'DELETE /users/{otherRoot}', 403],
    ['systemKey', 'GET /users/{otherRoot}', 200],
    ['systemKey', 'POST /users/{stranger}/activate', 200],
    ['rootsApp', 'PATCH /users/{stranger}', 403, { system_role: 'admin' }],
    ['rootsApp', 'POST /users/{otherRoot}/password', 403, { password: 'quite another long phrase' }],
    ['rootsApp', 'PATCH /users/{stranger}', 200, { full_name: 'By An App' }],
    ['rootsFullApp', 'PATCH /users/{otherRoot}', 200, { full_name: 'By An App' }],
    ['root', 'PATCH /users/{otherRoot}', 200, { full_name: 'By A Person' }],
    ['root', 'POST /api-keys', 400, { name: 'x', permissions: ['admins:write'] }],
    ['owner', 'PATCH /users/{stranger}', 403, { system_role: 'admin' }],
  ],
  'roles are handed out by those who hold them': [
    ['manager', 'POST /organizations/{A}/members', 400, { user_id: '{stranger}', role: 'theirs' }],
    ['manager', 'POST /organizations/{A}/members', 403, { user_id: '{stranger}', role: 'admin' }],
    ['manager', 'POST /organizations/{A}/members', 403, { user_id: '{stranger}', role: 'owner' }],
    ['manager', 'POST /organizations/{A}/members', 403, { user_id: '{stranger}', role: 'high' }],
    ['manager', 'PATCH /organizations/{A}/members/{manager}/role', 403, { role: 'admin' }],
    ['manager', 'PATCH /organizations/{A}/members/{auditor}/role', 403, { role: 'member' }],
    ['manager', 'DELETE /organizations/{A}/members/{admin}', 403],
    ['manager', 'PATCH /organizations/{A}/roles/{managerRole}', 403, { permissions: ['members:write', 'clients:write'] }],
    ['manager', 'PATCH /organizations/{A}/roles/{highRole}', 403, { description: 'x' }],
    ['admin', 'PATCH /organizations/{A}/members/{member}/role', 403, { role: 'high' }],
    ['admin', 'PATCH /organizations/{A}/members/{owner}/role', 403, { role: 'member' }],
    ['admin', 'DELETE /organizations/{A}/members/{owner}', 403],
    ['admin', 'PATCH /organizations/{A}/roles/{highRole}', 403, { permissions: [] }],
    ['admin', 'DELETE /organizations/{A}/roles/{highRole}', 403],
    ['admin', 'DELETE /organizations/{A}/roles/{managerRole}', 409],
    ['member', 'PATCH /organizations/{A}/members/{member}/role', 403, { role: 'owner' }],
    ['keyA', 'POST /organizations/{A}/members', 403, { user_id: '{stranger}', role: 'owner' }],
    ['keyA', 'POST /organizations/{A}/members', 403, { user_id: '{stranger}', role: 'auditor' }],
    ['systemKey', 'POST /organizations/{A}/members', 403, { user_id: '{stranger}', role: 'owner' }],
    ['ownersApp', 'POST /organizations/{A}/members', 403, { user_id: '{stranger}', role: 'owner' }],
    ['ownersApp', 'POST /organizations/{A}/roles', 403, { name: 'by-app', permissions: ['clients:write'] }],
    ['rootsApp', 'PATCH /organizations/{A}/members/{member}/role', 403, { role: 'owner' }],
    ['owner', 'PATCH /organizations/{A}/members/{member}/role', 200, { role: 'high' }],
    ['root', 'PATCH /organizations/{A}/members/{member}/role', 200, { role: 'member' }],
    ['root', 'PATCH /organizations/{A}/roles/{highRole}', 200, { description: 'Of the system' }],
  ],
  'the last owner stays': [
    ['owner', 'DELETE /organizations/{A}/members/{owner}', 409],
    ['owner', 'PATCH /organizations/{A}/members/{owner}/role', 409, { role: 'admin' }],
    ['root', 'DELETE /organizations/{A}/members/{owner}', 409],
    ['owner', 'DELETE /users/me', 409],
    ['root', 'DELETE /users/{owner}', 409],
  ],
  'keys are of those who may see them, and hold no more than their makers': [
    ['owner', 'GET /api-keys?organization_id={A}', 200],
    ['owner', 'GET /api-keys', 403],
    ['owner', 'GET /api-keys?organization_id={B}', 404],
    ['member', 'GET /api-keys?organization_id={A}', 403],
    ['readerKey', 'GET /api-keys?organization_id={A}', 200],
    ['readerKey', 'GET /api-keys?organization_id={B}', 404],
    ['readerKey', 'POST /api-keys', 403, { name: 'x', organization_id: '{A}', permissions: ['api_keys:read'] }],
    ['keyA', 'POST /api-keys', 404, { name: 'x', organization_id: '{B}', permissions: ['api_keys:read'] }],
    ['keyA', 'POST /api-keys', 403, { name: 'x', permissions: ['api_keys:read'] }],
    ['keyA', 'POST /api-keys', 403, { name: 'x', organization_id: '{A}', permissions: ['organizations:delete'] }],
    ['keyA', 'DELETE /api-keys/{keyB}', 404],
    ['keyA', 'DELETE /api-keys/{systemKey}', 404],
    ['admin', 'POST /api-keys', 403, { name: 'x', organization_id: '{A}', permissions: ['organizations:delete'] }],
    ['admin', 'POST /api-keys', 403, { name: 'x', organization_id: '{A}', permissions: ['users:write'] }],
    ['ownerB', 'DELETE /api-keys/{keyA}', 404],
  ],
  'what a client may do for itself is given by those who may, and such a client is not taken over': [
    ['admin', 'POST /organizations/{A}/clients', 201, { name: 'x', grant_types: ['client_credentials'], api_permissions: ['members:read'] }],
    ['admin', 'POST /organizations/{A}/clients', 400, { name: 'x', grant_types: ['client_credentials'], api_permissions: ['organizations:delete'] }],
    ['admin', 'PATCH /organizations/{A}/clients/{clientA}', 400, { api_permissions: ['users:write'] }],
    ['keyA', 'PATCH /organizations/{A}/clients/{clientA}', 403, { api_permissions: ['audit:read'] }],
    ['keyA', 'PATCH /organizations/{A}/clients/{clientA}', 200, { api_permissions: ['clients:read'] }],
    ['systemKey', 'PATCH /clients/{strongClient}', 403, { token_endpoint_auth_method: 'client_secret_post' }],
    ['systemKey', 'POST /clients/{strongClient}/secrets', 403, {}],
    ['systemKey', 'POST /clients', 403, { name: 'x', grant_types: ['client_credentials'], api_permissions: ['audit:read'] }],
    ['root', 'POST /clients', 400, { name: 'x', grant_types: ['client_credentials'], api_permissions: ['admins:write'] }],
    ['root', 'POST /clients', 400, { name: 'x', organization_id: '{A}', grant_types: ['client_credentials'], api_permissions: ['users:write'] }],
    ['root', 'PATCH /clients/{strongClient}', 200, { api_permissions: ['audit:read', 'users:write'] }],
    ['root', 'POST /clients/{strongClient}/secrets', 201, {}],
  ],
  'who says who somebody is is said by owners, and what the system believes by its administrators': [
    ['owner', 'POST /organizations/{A}/connections', 201, github],
    ['owner', 'POST /organizations/{A}/connections', 201, { ...github, membership: { default: 'owner' } }],
    ['owner', 'POST /organizations/{A}/connections', 400, { ...github, membership: { default: 'theirs' } }],
    ['owner', 'POST /organizations/{A}/connections', 400, { ...github, trusts_emails: true }],
    ['admin', 'POST /organizations/{A}/connections', 403, github],
    ['admin', 'GET /organizations/{A}/connections', 200],
    ['member', 'GET /organizations/{A}/connections', 403],
    ['ownerB', 'POST /organizations/{A}/connections', 404, github],
    ['owner', 'POST /connections', 403, github],
    ['owner', 'GET /connections', 403],
    ['keyA', 'POST /organizations/{A}/connections', 403, github],
    ['root', 'POST /organizations/{A}/connections', 201, { ...github, membership: { default: 'owner' } }],
    ['root', 'POST /connections', 201, { ...github, trusts_emails: true }],
    ['admin', 'POST /organizations/{A}/domains', 201, { domain: 'cast.example' }],
    ['member', 'POST /organizations/{A}/domains', 403, { domain: 'cast.example' }],
    ['ownerB', 'POST /organizations/{A}/domains', 404, { domain: 'cast.example' }],
  ],
  'ids of another tenant are nobody’s here': [
    ['owner', 'GET /organizations/{B}', 404],
    ['owner', 'GET /organizations/{B}/roles/{roleB}', 404],
    ['owner', 'GET /organizations/{A}/roles/{roleB}', 404],
    ['owner', 'PATCH /organizations/{A}/roles/{roleB}', 404, { name: 'ours' }],
    ['owner', 'DELETE /organizations/{A}/roles/{roleB}', 404],
    ['owner', 'PATCH /organizations/{A}/members/{ownerB}/role', 404, { role: 'member' }],
    ['owner', 'DELETE /organizations/{A}/members/{ownerB}', 404],
    ['owner', 'GET /organizations/{A}/clients/{clientB}', 404],
    ['owner', 'PATCH /organizations/{A}/clients/{clientB}', 404, { name: 'x' }],
    ['owner', 'DELETE /organizations/{A}/clients/{clientB}', 404],
    ['owner', 'POST /organizations/{A}/clients/{clientB}/secrets', 404, {}],
    ['owner', 'DELETE /organizations/{A}/clients/{clientB}/secrets/{none}', 404],
    ['keyA', 'GET /organizations/{B}/members', 404],
    ['keyA', 'PATCH /organizations/{B}/roles/{roleB}', 404, { name: 'x' }],
    ['keyB', 'POST /organizations/{A}/members', 404, { user_id: '{stranger}' }],
    ['ownersApp', 'GET /organizations/{B}/members', 404],
    ['stranger', 'DELETE /organizations/{A}/members/{member}', 404],
    ['stranger', 'DELETE /organizations/{A}/members/{stranger}', 404],
  ],
  'sessions are one’s own': [
    ['member', 'DELETE /auth/sessions/{ownerSession}', 404],
    ['root', 'DELETE /auth/sessions/{ownerSession}', 404],
    ['rootsApp', 'DELETE /auth/sessions/{rootSession}', 403],
    ['systemKey', 'GET /auth/sessions', 403],
    ['nobody', 'GET /auth/sessions', 401],
  ],
  'an app of a person has what was granted, and does not leave for them': [
    ['ownersApp', 'GET /organizations/{A}/members', 200],
    ['ownersApp', 'GET /organizations/{A}/roles', 403],
    ['ownersApp', 'GET /organizations/{A}', 403],
    ['membersApp', 'GET /organizations/{A}/members', 200],
    ['membersApp', 'DELETE /organizations/{A}/members/{member}', 403],
    ['rootsApp', 'DELETE /organizations/{A}/members/{root}', 404],
    ['rootsApp', 'GET /organizations', 403],
    ['auditor', 'GET /organizations/{A}/audit-logs', 200],
    ['auditor', 'GET /organizations/{A}/members', 403],
    ['auditor', 'DELETE /organizations/{A}/members/{auditor}', 200],
  ],
  'an organization that is deleted, or never was, is not there for anybody': ['gone', 'none'].flatMap(id =>
    ['clients', 'connections', 'domains', 'audit-logs', 'members', 'roles', 'roles/owner', 'clients/x'].map(
      (what): Row => ['root', `GET /organizations/{${id}}/${what}`, 404],
    ),
  ),
  'what a deleted organization had does not come back without it': [
    ['root', 'PATCH /clients/{lostClient}', 409, { disabled: false }],
    ['root', 'PATCH /organizations/{gone}/clients/{lostClient}', 404, { disabled: false }],
    ['root', 'POST /organizations/{gone}/roles', 404, { name: 'x', permissions: [] }],
    ['root', 'PATCH /organizations/{gone}', 404, {}],
  ],
  'a change of nothing is answered with the thing': [
    ['root', 'PATCH /users/me', 200, {}],
    ['root', 'PATCH /users/{stranger}', 200, {}],
    ['owner', 'PATCH /organizations/{A}', 200, {}],
    ['owner', 'PATCH /organizations/{A}/roles/{managerRole}', 200, {}],
    ['owner', 'PATCH /organizations/{A}/clients/{clientA}', 200, {}],
    ['root', 'PATCH /clients/{clientA}', 200, {}],
  ],
}

const filled = (text: string) => text.replace(/\{(\w+)\}/g, (whole, name: string) => cast.ids[name] ?? whole)

let cells = 0
for (const [title, rows] of Object.entries(table))
  test.serial(title, async t => {
    const events = () => api.server.resources.database.prisma.auditEvent.count()
    for (const [caller, operation, status, body] of rows) {
      t.true(caller in cast.tokens, caller)
      const before = await events()
      const reply = await api.ask(filled(operation), { token: cast.tokens[caller], body: body && JSON.parse(filled(JSON.stringify(body))) })
      t.is(reply.status, status, `${caller}: ${operation} ${JSON.stringify(body ?? '')} ${JSON.stringify(reply.error)}`)
      const isRefusedWrite = (status === 403 || status === 409) && !operation.startsWith('GET')
      const isQuiet = status >= 400 || operation.startsWith('GET') || (operation.startsWith('PATCH') && JSON.stringify(body) === '{}')
      if (isQuiet) t.is(await events(), before + (isRefusedWrite ? 1 : 0), `${caller}: ${operation} leaves ${isRefusedWrite ? 'one' : 'no'} event`)
      cells += 1
    }
  })

test.serial('the table has all its rows', t => {
  t.is(cells, Object.values(table).flat().length)
  t.true(cells >= 100)
  t.log(`${cells} cells: caller × operation → status`)
})

type Role = 'owner' | 'admin' | 'member'
interface Caller {
  readonly name: string
  readonly token?: string
  readonly role?: Role
  readonly roleElsewhere?: Role
  readonly isSystemAdmin?: boolean
  readonly isSuspended?: boolean
  readonly isKey?: boolean
  /** All that their own role of the organization allows. */
  readonly only?: Permission
}

let organizationId: string
let callers: readonly Caller[]

// No query knows this parameter, so whoever is let in is told 400 and nothing happens.
const probe = '?no_such_parameter=1'
const letIn = 400

const probed = ({ path, within }: Route) => path.replace(/:\w+/g, name => (name === ':id' && within === 'organization' ? organizationId : randomUUID()))

const declared = ({ permission, within }: Route, caller: Caller): number => {
  if (caller.isSuspended) return 401
  if (permission === undefined) return letIn
  if (caller.token === undefined) return 401
  if (permission === 'authenticated') return letIn
  if (permission === 'signed_in') return caller.isKey ? 403 : letIn
  if (!isPermission(permission)) throw new Error(`${permission} is not in the table`)
  if (caller.isSystemAdmin) return isHeld(permission, 'system', 'admin') ? letIn : 403
  if (caller.isKey || within === undefined) return 403
  if (caller.only !== undefined) return caller.only === permission ? letIn : 403
  if (within === 'given') return isHeld(permission, 'organization', caller.role ?? caller.roleElsewhere) ? letIn : 403
  if (caller.role === undefined) return 404
  return isHeld(permission, 'organization', caller.role) ? letIn : 403
}

const isHeld = (permission: Permission, kind: 'system' | 'organization', role: string | undefined) =>
  role !== undefined && (permissionTable[permission][kind] as readonly string[]).includes(role)

/** Who asks for an operation: beside an organization one permission within it is like another, but for that of the operation. */
const callersOf = ({ permission, within }: Route) => {
  const [anySingle] = callers.filter(({ only }) => only !== undefined)
  return callers.filter(caller => caller.only === undefined || within !== undefined || caller.only === permission || caller === anySingle)
}

test('every operation answers every kind of caller as declared', async t => {
  const { routes } = api.server.app.api
  let cells = 0
  for (const one of routes)
    for (const caller of callersOf(one)) {
      const { status, error } = await api.ask(`${one.method} ${probed(one)}${probe}`, { token: caller.token })
      t.is(status, declared(one, caller), `${one.method} ${one.path} as ${caller.name}`)
      t.truthy(error?.type)
      cells += 1
    }
  t.true(cells > routes.length * 9)
  t.log(`${cells} cells: ${routes.length} operations × up to ${callers.length} callers`)
})

test('every operation that changes something needs a permission, but for those that make somebody known', t => {
  const open = api.server.app.api.routes.filter(({ permission }) => permission === undefined).map(({ method, path }) => `${method} ${path}`)
  t.deepEqual(open.toSorted(), [
    'POST /auth/email/resend',
    'POST /auth/email/verify',
    'POST /auth/login',
    'POST /auth/mfa',
    'POST /auth/password/forgot',
    'POST /auth/password/reset',
    'POST /auth/register',
  ])
})

// What `GET /organizations` shows, and whose accounts the operations on users may touch: asked where that is known.
const askedByHandlers = ['admins:write', 'organizations:list']

test('every permission of the table is asked for somewhere', t => {
  const asked = new Set(api.server.app.api.routes.map(({ permission }) => permission))
  t.deepEqual(
    permissions.filter(name => !asked.has(name)),
    askedByHandlers,
  )
})

// What handlers and services decide beyond the door: a reviewed table of caller × operation → status. Whoever changes a row says why.
import test from 'ava'
import { startApi, type TestApi } from '../support/api.ts'
import { type Cast, makeCast } from '../support/cast.ts'

let api: TestApi
let cast: Cast
test.before(async () => {
  api = await startApi()
  cast = await makeCast(api)
})
test.after.always(() => api?.close())

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

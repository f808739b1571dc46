// Every operation × every kind of caller, from the route list itself: the door answers as the permission table declares.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { isPermission, organizationPermissionNames, type Permission, permissions, permissionTable } from '../../src/api/permissions.ts'
import { systemActor } from '../../src/platform/actor.ts'
import type { Route } from '../../src/platform/http/route.ts'
import { startApi, type TestApi } from '../support/api.ts'

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

let api: TestApi
let organizationId: string
let callers: readonly Caller[]

test.before(async () => {
  api = await startApi()
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

// No query knows this parameter, so whoever is let in is told 400 and nothing happens.
const probe = '?no_such_parameter=1'
const letIn = 400

const addressOf = ({ path, within }: Route) => path.replace(/:\w+/g, name => (name === ':id' && within === 'organization' ? organizationId : randomUUID()))

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

test('every operation answers every kind of caller as declared', async t => {
  const { routes } = api.server.app.api
  let cells = 0
  for (const one of routes)
    for (const caller of callers) {
      const { status, error } = await api.ask(`${one.method} ${addressOf(one)}${probe}`, { token: caller.token })
      t.is(status, declared(one, caller), `${one.method} ${one.path} as ${caller.name}`)
      t.truthy(error?.type)
      cells += 1
    }
  t.is(cells, routes.length * callers.length)
  t.log(`${cells} cells: ${routes.length} operations × ${callers.length} callers`)
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

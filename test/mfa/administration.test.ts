// Second factors as administrators decide of them: of whom one is required, and whose they take away; those of administrators are
// for administrators alone.
import test from 'ava'
import { createFactorRequirement, requirementSettings } from '../../src/mfa/requirement.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { startApi, type TestApi } from '../support/api.ts'
import { enrolTotp } from '../support/factors.ts'
import type { TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { makeUser } from '../support/users.ts'

let api: TestApi
let server: TestServer
test.before(async () => {
  api = await startApi()
  server = api.server
})
test.after.always(() => api?.close())

const makeKey = async () => {
  const { key } = await api.server.services.apiKeys.create(systemActor, { name: 'Help desk', permissions: ['users:read', 'users:write'] })
  return key
}

test('a key removes the factor of a user, and not that of an administrator', async t => {
  const token = await makeKey()
  const user = await api.signIn()
  const administrator = await api.signIn()
  await api.server.services.userAdministration.update(systemActor, administrator.id as never, { isAdmin: true })
  for (const [{ id }, status, left] of [
    [user, 200, 0],
    [administrator, 403, 1],
  ] as const) {
    const { factorId } = await enrolTotp(api.server, { id })
    t.is((await api.ask(`DELETE /users/${id}/factors/${factorId}`, { token })).status, status)
    t.is((await api.ask(`GET /users/${id}/factors`, { token })).data.length, left)
  }
})

const isRequiredBy = async (id: string) => (await server.services.organizationSettings.find(id))?.isMfaRequired ?? false
const requirementOf = (setting: (typeof requirementSettings)[number]) =>
  createFactorRequirement({ database: server.resources.database, setting, isRequiredBy, now: () => new Date() })

test('the setting says of whom', async t => {
  const [person, admin] = [await makeUser(server), await makeUser(server)]
  await server.resources.database.pool.query("UPDATE users SET system_role = 'admin' WHERE id = $1", [admin.id])
  const told = await Promise.all(
    requirementSettings.map(async setting => {
      const { isRequired } = requirementOf(setting)
      return [setting, await Promise.all([person, admin].map(({ id }) => isRequired({ userId: id })))]
    }),
  )
  t.deepEqual(Object.fromEntries(told), {
    never: [false, false],
    admins: [false, true],
    always: [true, true],
  })
})

test('an organization says it of its members, where they enter it', async t => {
  const [member, stranger] = [await makeUser(server), await makeUser(server)]
  const { organizations } = server.services
  const careful = await organizations.create(systemActor, { name: 'Careful', ownerId: member.id })
  const easy = await organizations.create(systemActor, { name: 'Easy', ownerId: member.id })
  await organizations.update(systemActor, careful.id, { isMfaRequired: true })
  const { isRequired } = requirementOf('never')
  t.true(await isRequired({ userId: member.id, organizationId: careful.id }))
  t.false(await isRequired({ userId: member.id, organizationId: easy.id }))
  t.false(await isRequired({ userId: member.id }))
  t.false(await isRequired({ userId: stranger.id, organizationId: careful.id }))
  await organizations.remove(systemActor, careful.id)
  await until(async () => !(await isRequired({ userId: member.id, organizationId: careful.id })))
})

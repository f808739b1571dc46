// Of whom a second factor is required: the system's setting, and the organizations of a person.
import test from 'ava'
import { createFactorRequirement, requirementSettings } from '../../src/mfa/requirement.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const isRequiredBy = async (id: string) => (await server.services.organizationSettings.find(id))?.isMfaRequired ?? false
const requirementOf = (setting: (typeof requirementSettings)[number]) =>
  createFactorRequirement({ database: server.resources.database, setting, isRequiredBy, now: () => new Date() })

test('the setting says of whom', async t => {
  const [person, admin] = [await makeUser(server), await makeUser(server)]
  await server.resources.database.pool.query("UPDATE users SET system_role = 'admin' WHERE id = $1", [admin.id])
  const told = await Promise.all(
    requirementSettings.map(async setting => {
      const { isRequired, isRequiredForApi } = requirementOf(setting)
      const answers = [person, admin].flatMap(({ id }) => [isRequired({ userId: id }), isRequiredForApi(id)])
      return [setting, await Promise.all(answers)]
    }),
  )
  t.deepEqual(Object.fromEntries(told), {
    never: [false, false, false, false],
    admins: [false, false, true, true],
    always: [true, true, true, true],
  })
})

test('an organization says it of its members, where they enter it', async t => {
  const [member, stranger] = [await makeUser(server), await makeUser(server)]
  const { organizations } = server.services
  const careful = await organizations.create(systemActor, { name: 'Careful', ownerId: member.id })
  const easy = await organizations.create(systemActor, { name: 'Easy', ownerId: member.id })
  await organizations.update(systemActor, careful.id, { isMfaRequired: true })
  const { isRequired, isRequiredForApi } = requirementOf('never')
  t.true(await isRequired({ userId: member.id, organizationId: careful.id }))
  t.false(await isRequired({ userId: member.id, organizationId: easy.id }))
  t.false(await isRequired({ userId: member.id }))
  t.false(await isRequired({ userId: stranger.id, organizationId: careful.id }))
  t.true(await isRequiredForApi(member.id))
  t.false(await isRequiredForApi(stranger.id))
  await organizations.remove(systemActor, careful.id)
  t.false(await isRequiredForApi(member.id))
})

// Administrators help whoever lost a factor; those of administrators are for administrators alone.
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { startApi, type TestApi } from '../support/api.ts'
import { enrolTotp } from '../support/factors.ts'

let api: TestApi
test.before(async () => {
  api = await startApi()
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

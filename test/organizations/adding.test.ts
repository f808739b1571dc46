// What goes with adding people who were not asked: they are told, and nobody learns by trying who has an account.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { makeAdmin, startApi, type TestApi } from '../support/api.ts'
import { mailTo } from '../support/mails.ts'
import { makeUser } from '../support/users.ts'

let api: TestApi
test.before(async () => {
  api = await startApi()
})
test.after.always(() => api?.close())

const makePlace = async () => {
  const owner = await api.signIn()
  const { data } = await api.ask('POST /organizations', { token: owner.token, body: { name: 'Acme' } })
  const add = (body: object, token = owner.token) => api.ask(`POST /organizations/${data.id}/members`, { token, body })
  return { owner, id: data.id, add }
}

test('who is added is told by mail, and where to leave', async t => {
  const { add } = await makePlace()
  const [byAddress, byId] = [await makeUser(api.server), await makeUser(api.server)]
  t.is((await add({ email: byAddress.email })).status, 201)
  t.is((await add({ user_id: byId.id, role: 'admin' })).status, 201)
  const told = await mailTo(api.server, byAddress.email, 'You are a member of Acme now')
  t.true(told.text.includes('as member'))
  t.true(told.text.includes(`${api.server.issuer}/account/organizations`))
  t.true((await mailTo(api.server, byId.email, 'You are a member of Acme now')).text.includes('as administrator'))
})

test('who names many addresses of nobody is told to wait, also for those of somebody; whoever reads all users is not', async t => {
  const { add, id } = await makePlace()
  const nobody = () => ({ email: `${randomUUID()}@people.example` })
  const found = await makeUser(api.server)
  t.is((await add({ email: found.email })).status, 201)
  for (let tried = 0; tried < 30; tried += 1) t.is((await add(nobody())).status, 404)
  t.is((await add(nobody())).status, 429)
  const another = await makeUser(api.server)
  t.is((await add({ email: another.email })).status, 429)
  t.is((await add({ user_id: another.id })).status, 201)
  const admin = await makeAdmin(api)
  for (let tried = 0; tried < 32; tried += 1) t.is((await add(nobody(), admin)).status, 404)
  await api.server.services.members.add(systemActor, { organizationId: id, email: (await makeUser(api.server)).email, role: 'member' })
})

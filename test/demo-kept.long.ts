// The demo data has known passwords: production does not start with it, and it can be taken away.
import test from 'ava'
import { findOpenDemo, refuseDemoData, removeDemoData } from '../src/demo-kept.ts'
import { systemActor } from '../src/platform/actor.ts'
import { startServer, type TestServer } from './support/server.ts'

let server: TestServer
test.beforeEach(async () => {
  server = await startServer()
})
test.afterEach.always(() => server?.close())

const opened = () => findOpenDemo(server.resources.database)

test.serial('production refuses a database whose passwords are in the documentation, and says how they go', async t => {
  const { database } = server.resources
  await t.throwsAsync(refuseDemoData(database), { code: 'demo_data_kept', message: /admin@authy2\.local.+demo:remove/ })
  await t.throwsAsync(removeDemoData(database, server.services), { code: 'last_admin' })
  t.true((await opened()).includes('acme-service-001'), 'nothing was deleted')

  await server.services.users.create(systemActor, { email: 'ops@people.example', isAdmin: true, isEmailVerified: true })
  const removed = await removeDemoData(database, server.services)
  t.true(['admin@authy2.local', 'acme-portal-001', 'acme-corp', 'http://localhost:4000/api/es256'].every(name => removed.includes(name)))
  await t.notThrowsAsync(refuseDemoData(database))
  t.deepEqual(await removeDemoData(database, server.services), [])
})

test.serial('an account whose password was changed is known to nobody else, and is no reason to refuse', async t => {
  const { users, signIn } = server.services
  const hank = await users.findByEmail('hank@globex.example')
  if (!hank) return t.fail('the demo lacks him')
  t.true((await opened()).includes('hank@globex.example'))
  await server.resources.database.pool.query("UPDATE users SET created_at = created_at - interval '1 hour' WHERE id = $1", [hank.id])
  await signIn.setPassword(systemActor, { id: hank.id, password: 'a sentence of his own' })
  t.false((await opened()).includes('hank@globex.example'))
})

test.serial('who signs up with an address of the demo shuts no server down', async t => {
  const { users } = server.services
  const hank = await users.findByEmail('hank@globex.example')
  await server.resources.database.pool.query("UPDATE users SET email_normalized = 'gone@globex.example' WHERE id = $1", [hank?.id])
  const { id } = await users.create({ kind: 'anonymous', permissions: new Set() }, { email: 'hank@globex.example' })
  await server.services.signIn.setPassword(systemActor, { id, password: 'OwnerPass123!' })
  t.false((await opened()).includes('hank@globex.example'))
})

test.serial('an organization that would be left without an owner is named, and nothing is deleted', async t => {
  const { database } = server.resources
  const { users, organizations } = server.services
  await users.create(systemActor, { email: 'ops@people.example', isAdmin: true, isEmailVerified: true })
  const hank = await users.findByEmail('hank@globex.example')
  await organizations.create(systemActor, { slug: 'real', name: 'Real', ownerId: hank?.id })
  await t.throwsAsync(removeDemoData(database, server.services), { code: 'demo_data_kept', message: /real/ })
  t.true((await opened()).includes('acme-service-001'))
})

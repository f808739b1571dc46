// The audit log as services read it.
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

test('the newest events are those that a page of the log begins with, and one statement finds them', async t => {
  const { services, resources } = server
  const { id } = await services.organizations.create(systemActor, { name: 'Changing' })
  for (const name of ['One', 'Two', 'Three']) await services.organizations.update(systemActor, id, { name })
  const { rows, total } = await services.auditLog.list({ organizationId: id }, { limit: 2 })
  const newest = await services.auditLog.newest({ organizationId: id }, 2)
  // Others send statements meanwhile, but not each time.
  const sent: number[] = []
  for (let time = 0; time < 5; time += 1) {
    const before = resources.database.roundTrips()
    await services.auditLog.newest({ organizationId: id }, 2)
    sent.push(resources.database.roundTrips() - before)
  }
  t.is(Math.min(...sent), 1)
  t.is(total, 4)
  t.deepEqual(newest, rows.slice(0, 2))
  t.deepEqual(
    newest.map(({ target }) => target.details.name),
    ['Three', 'Two'],
  )
})

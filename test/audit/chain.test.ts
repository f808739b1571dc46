// Events stand in the chain of their organization however many changes come at once, and anybody can compute it anew.
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { type Database, isUnavailable } from '../../src/platform/data/database.ts'
import { chainOf, openTestAudit, sha256, type TestAudit } from '../support/audit.ts'
import { openTestDatabase } from '../support/database.ts'

let database: Database
let audit: TestAudit
test.before(async () => {
  database = await openTestDatabase()
})
test.beforeEach(async () => {
  audit = await openTestAudit(database)
  await audit.sql('TRUNCATE audit_events, audit_chains, audit_checkpoints, audit_anchors, organizations CASCADE')
})
test.after.always(() => database?.close())

const seqsOf = async (chain: string) =>
  (await audit.sql<{ seq: string }>(`SELECT seq FROM audit_events WHERE ${chainOf} = $1 ORDER BY seq`, [chain])).map(({ seq }) => Number(seq))
/** Again where a busy machine had no connection in time: nothing was done then. */
const patiently = async (work: () => Promise<unknown>): Promise<unknown> => {
  try {
    return await work()
  } catch (error) {
    if (!isUnavailable(error)) throw error
    return patiently(work)
  }
}
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

test.serial('twenty changes at once make one chain, and twenty in several organizations as many', async t => {
  const organizations = [await audit.makeOrganization(), await audit.makeOrganization(), await audit.makeOrganization()]
  await Promise.all(upTo(20).map(() => patiently(() => audit.write(organizations[0]))))
  t.deepEqual(await seqsOf(organizations[0] ?? ''), upTo(20))
  await Promise.all(upTo(20).map(index => patiently(() => audit.write(organizations[index % 3], 2))))
  await audit.write()
  t.deepEqual(await audit.verification.verify({}), { isIntact: true, events: 64, chains: 4, faults: [] })
})

test.serial('changes that record in the same chains in another order do not wait for each other for ever', async t => {
  const [a, b] = [await audit.makeOrganization(), await audit.makeOrganization()]
  const both = (first: string, second: string) =>
    audit.change(systemActor, async (_tx, record) => {
      record('thing.changed', { n: 1 }, { organizationId: first.toUpperCase() })
      record('thing.changed', { n: 2 })
      record('thing.changed', { n: 3 }, { organizationId: second })
    })
  await Promise.all(upTo(20).map(index => patiently(() => (index % 2 ? both(a, b) : both(b, a)))))
  t.deepEqual(await audit.verification.verify({}), { isIntact: true, events: 62, chains: 3, faults: [] })
})

test.serial('a change that fails leaves no gap', async t => {
  await audit.write()
  await t.throwsAsync(
    audit.change(systemActor, async (tx, record) => {
      record('thing.changed', { n: 1 })
      await tx.$executeRaw`SELECT 1 / 0`
    }),
  )
  await audit.write()
  t.deepEqual(await seqsOf('00000000-0000-0000-0000-000000000000'), [1, 2])
})

test.serial('text that a database does not take as it is stands in the chain as it was stored', async t => {
  await audit.change({ ...systemActor, userAgent: 'a\0b\ud800' }, async (_tx, record) =>
    record('thing.changed', { id: '\ud800', n: -0, of: { '\u{1f642}': 'a\0', é: 1e21 } }),
  )
  t.true((await audit.verification.verify({})).isIntact)
})

test.serial('ten thousand events of one change stand in one chain', async t => {
  await patiently(() => audit.write(undefined, 10_000))
  const { isIntact, events } = await audit.verification.verify({})
  t.true(isIntact)
  t.true(events >= 10_000)
})

test.serial('a checkpoint is due after a minute or a thousand events, once, and not for a chain that was altered', async t => {
  const id = await audit.makeOrganization()
  await audit.write()
  await audit.checkpoints.make()
  await audit.write(id)
  t.is(
    (await Promise.all([audit.checkpoints.make(), audit.checkpoints.make(), audit.checkpoints.make()])).reduce((a, b) => a + b),
    1,
  )
  await audit.write(id)
  t.is(await audit.checkpoints.make(), 0)
  audit.passMinutes(2)
  // The system's chain moved too: it tells that this one began.
  t.is(await audit.checkpoints.make(), 2)
  t.is(await audit.checkpoints.make(), 0)
  await audit.write(id, 1000)
  t.is(await audit.checkpoints.make(), 1)
  const { rows } = await audit.checkpointList.list({ organizationId: id }, { limit: 10 })
  t.deepEqual(
    rows.map(({ number, seq }) => [number, seq]),
    [
      [3, 1002],
      [2, 2],
      [1, 1],
    ],
  )
  await audit.write(id)
  await audit.sql("UPDATE audit_events SET action = 'x' WHERE organization_id = $1 AND seq = 1003", [id])
  audit.passMinutes(2)
  t.is(await audit.checkpoints.make(), 0)
  t.is((await audit.verification.verify({})).faults[0]?.kind, 'edited')
})

test.serial('a checkpoint is not signed over a chain that was computed anew', async t => {
  await audit.write(undefined, 3)
  await audit.checkpoints.make()
  await audit.write()
  await audit.sql('UPDATE audit_chains SET mac = hash')
  audit.passMinutes(2)
  t.is(await audit.checkpoints.make(), 0)
})

test.serial('the first hash of a chain is made from its id', async t => {
  await audit.write()
  const [row] = await audit.sql<{ previous: Buffer }>('SELECT previous FROM audit_events')
  t.deepEqual(row?.previous, sha256('authy2 audit chain\0', '00000000-0000-0000-0000-000000000000'))
})

test.serial('a chain that was altered is let be for ten minutes, and keeps no other from its checkpoint', async t => {
  const [a, b] = [await audit.makeOrganization(), await audit.makeOrganization()]
  for (const id of [a, b]) await audit.write(id)
  await audit.sql("UPDATE audit_events SET action = 'x' WHERE organization_id = $1", [a])
  await audit.sql("UPDATE audit_events SET occurred_at = 'infinity' WHERE organization_id = $1", [a])
  t.is(await audit.checkpoints.make(), 2)
  const trips = audit.database.roundTrips()
  t.is(await audit.checkpoints.make(), 0)
  t.is(audit.database.roundTrips() - trips, 1)
  audit.passMinutes(11)
  t.is(await audit.checkpoints.make(), 0)
  t.true(audit.database.roundTrips() - trips > 3)
})

// A log that nobody touched is intact, an older state of it is found by a checkpoint from after it, and who asks too much is told so.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import type { Problem } from '../../src/platform/errors.ts'
import { chainOf } from '../support/audit.ts'
import { eventsOfEach as events, openWrittenAudit, type WrittenAudit } from '../support/written-audit.ts'

let audit: WrittenAudit
let a: string
let b: string
let checkpoint: string
test.before(async () => {
  audit = await openWrittenAudit()
  a = audit.a
  b = audit.b
  checkpoint = audit.checkpoint
})
test.after.always(() => audit?.close())

const remove = (where: string) => audit.sql(`DELETE FROM audit_events WHERE ${chainOf} = '${a}' AND ${where}`)

test.serial('a log that nobody touched is intact', async t => {
  t.deepEqual(await audit.verification.verify({}), { isIntact: true, events: 3 * events + 3, chains: 3, faults: [] })
  t.deepEqual(await audit.verification.verify({ organizationId: a, checkpoint }), { isIntact: true, events, chains: 1, faults: [] })
})

test.serial('an older state put back whole is found by a checkpoint that was kept elsewhere, and by nothing else', async t => {
  await audit.restore()
  const old = await audit.sql('SELECT * FROM audit_chains WHERE id = $1', [a])
  await audit.write(a)
  audit.passMinutes(2)
  await audit.checkpoints.make()
  const newest = await audit.newestOf(a)
  t.deepEqual(await audit.kindsOf({ checkpoint: newest }), [])
  await remove('seq > 12')
  await audit.sql('DELETE FROM audit_checkpoints WHERE chain = $1 AND number > 2', [a])
  const columns = ['id', 'seq', 'hash', 'mac', 'checkpoint_number', 'checkpoint_mac'].map(column => old[0]?.[column])
  await audit.sql('UPDATE audit_chains SET seq = $2, hash = $3, mac = $4, checkpoint_number = $5, checkpoint_mac = $6 WHERE id = $1', columns)
  t.deepEqual(await audit.kindsOf(), [])
  t.deepEqual(await audit.kindsOf({ checkpoint: newest }), ['cut a 13-', 'deleted_checkpoint a -13'])
  t.deepEqual(await audit.kindsOf({ checkpoint }), [])
  await audit.write(a, 2)
  t.deepEqual(await audit.kindsOf({ checkpoint: newest }), ['deleted_checkpoint a -13', 'rewritten a 1-13'])
})

test.serial('a checkpoint that this server did not sign, or that is of another chain, is no witness', async t => {
  await audit.restore()
  t.deepEqual(await audit.kindsOf({ checkpoint: `${checkpoint.slice(0, -8)}AAAAAAAA` }), ['forged_checkpoint system -'])
  t.deepEqual(await audit.kindsOf({ checkpoint: 'nonsense' }), ['forged_checkpoint system -'])
  t.is(((await t.throwsAsync(audit.verification.verify({ organizationId: b, checkpoint }))) as Problem | undefined)?.code, 'validation_failed')
})

test.serial('of an organization that nobody knows nothing is told', async t => {
  t.is(((await t.throwsAsync(audit.verification.verify({ organizationId: randomUUID() }))) as Problem | undefined)?.code, 'not_found')
  t.deepEqual(await audit.verification.verify({ organizationId: await audit.makeOrganization() }), { isIntact: true, events: 0, chains: 1, faults: [] })
})

test.serial('one verification of the system and one of an organization run at a time, whoever else asks', async t => {
  await audit.restore()
  const asked = [undefined, undefined, a, a, b].map(within => audit.verification.verify({ organizationId: within, within }))
  const codes = (await Promise.allSettled(asked)).map(outcome => (outcome.status === 'rejected' ? outcome.reason.code : 'verified'))
  t.deepEqual(codes, ['verified', 'busy', 'verified', 'busy', 'verified'])
  t.true((await audit.verification.verify({})).isIntact)
})

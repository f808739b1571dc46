// A chain that was wiped is missed, also when it was begun anew by the next change.
import test from 'ava'
import { systemChain } from '../../src/platform/data/event-chain.ts'
import { chainOf } from '../support/audit.ts'
import { openWrittenAudit, type WrittenAudit } from '../support/written-audit.ts'

let audit: WrittenAudit
test.before(async () => {
  audit = await openWrittenAudit()
})
test.after.always(() => audit?.close())

const truncate = async () => {
  for (const table of ['audit_events', 'audit_chains', 'audit_checkpoints']) await audit.sql(`TRUNCATE ${table}`)
}
const forgetStart = (which: string) =>
  audit.sql(
    `DELETE FROM audit_events WHERE action = 'audit.chain_started' AND target_id = $1 AND seq = (SELECT ${which}(seq) FROM audit_events WHERE target_id = $1)`,
    [audit.a],
  )

const wipes: readonly { readonly title: string; readonly act: () => Promise<unknown>; readonly found: readonly string[] }[] = [
  { title: 'wipes an organization', act: () => audit.wipe(audit.a), found: ['cut a 1-'] },
  { title: 'wipes an organization before its next change', act: async () => [await audit.wipe(audit.a), await audit.write(audit.a)], found: ['cut a 1-'] },
  {
    title: 'wipes an organization before its next change, and deletes the event of its new beginning',
    act: async () => [await audit.wipe(audit.a), await audit.write(audit.a), await forgetStart('max')],
    found: ['cut a 1-', 'cut system 16-16'],
  },
  {
    title: 'wipes an organization before its next change, and deletes the event of its first beginning',
    act: async () => [await audit.wipe(audit.a), await audit.write(audit.a), await forgetStart('min')],
    found: ['deleted system 2-2'],
  },
  {
    title: 'wipes an organization, and deletes the event of its beginning',
    act: async () => [await audit.wipe(audit.a), await forgetStart('min')],
    found: ['deleted system 2-2'],
  },
  { title: 'wipes the system', act: () => audit.wipe(systemChain), found: ['cut a 1-', 'cut b 1-', 'cut system 1-'] },
  {
    title: 'wipes the system before its next change',
    act: async () => [await audit.wipe(systemChain), await audit.write()],
    found: ['cut a 1-', 'cut b 1-', 'cut system 1-'],
  },
  { title: 'empties the log', act: truncate, found: ['cut system 1-'] },
  { title: 'empties the log before the next change', act: async () => [await truncate(), await audit.write()], found: ['cut system 1-'] },
  {
    title: 'empties the log before the next change of an organization',
    act: async () => [await truncate(), await audit.write(audit.a)],
    found: ['cut system 1-'],
  },
  { title: 'deletes the anchor', act: () => audit.sql('DELETE FROM audit_anchors'), found: ['cut system 1-'] },
  { title: 'edits the anchor', act: () => audit.sql("UPDATE audit_anchors SET started_at = started_at + interval '1 ms'"), found: ['cut system 1-'] },
  { title: 'edits the anchor to infinity', act: () => audit.sql("UPDATE audit_anchors SET started_at = 'infinity'"), found: ['cut system 1-'] },
  {
    title: 'lets the anchor say what the new beginning is',
    act: async () => [await truncate(), await audit.write(), await audit.sql('UPDATE audit_anchors a SET started_at = c.started_at FROM audit_chains c')],
    found: ['cut system 1-'],
  },
]

for (const { title, act, found } of wipes)
  test.serial(`who ${title} is found`, async t => {
    await audit.restore()
    await act()
    t.deepEqual(await audit.kindsOf(), found.toSorted())
  })

test.serial('an organization that was wiped is missed also where it is verified alone', async t => {
  await audit.restore()
  await audit.wipe(audit.a)
  t.deepEqual(await audit.kindsOf({ organizationId: audit.a }), ['cut a 1-'])
  await audit.write(audit.a)
  t.deepEqual(await audit.kindsOf({ organizationId: audit.a }), ['cut a 1-'])
  t.deepEqual(await audit.kindsOf({ organizationId: audit.b }), [])
})

test.serial('a log that was emptied with its anchor is found by a checkpoint of the system that was kept elsewhere, and by nothing else', async t => {
  await audit.restore()
  await truncate()
  await audit.sql('TRUNCATE audit_anchors')
  t.deepEqual(await audit.kindsOf(), [])
  await audit.write()
  t.deepEqual(await audit.kindsOf(), [])
  t.deepEqual(await audit.kindsOf({ checkpoint: audit.systemCheckpoint }), ['cut system 10-', 'deleted_checkpoint system -10'])
})

test.serial('that a chain began is told by one event, however many changes come first', async t => {
  await audit.restore()
  const id = await audit.makeOrganization()
  await Promise.all([1, 2, 3, 4].map(() => audit.write(id)))
  const starts = await audit.sql(`SELECT FROM audit_events WHERE action = 'audit.chain_started' AND target_id = $1 AND ${chainOf} = '${systemChain}'`, [id])
  t.is(starts.length, 1)
  t.deepEqual(await audit.kindsOf(), [])
})

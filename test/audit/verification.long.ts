// A log that nobody touched is intact; whatever somebody does to it who owns the database and lacks the key is found, and named.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { systemChain } from '../../src/platform/data/event-chain.ts'
import type { Problem } from '../../src/platform/errors.ts'
import { chainOf, rechain } from '../support/audit.ts'
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

const update = (set: string, where = 'seq = 6') => audit.sql(`UPDATE audit_events SET ${set} WHERE ${chainOf} = '${a}' AND ${where}`)
const head = (set: string) => audit.sql(`UPDATE audit_chains SET ${set} WHERE id = '${a}'`)
const columns = 'occurred_at, action, outcome, actor_kind, actor_id, target_kind, target_id, target, request_id, ip, user_agent, previous, hash'
const copy = ({ to, seq, of = 6 }: { to: string; seq: number; of?: number }) =>
  audit.sql(
    `INSERT INTO audit_events (id, organization_id, seq, ${columns}) SELECT $1, $2, $3, ${columns} FROM audit_events WHERE ${chainOf} = $4 AND seq = $5`,
    [randomUUID(), to, seq, a, of],
  )
/** Numbers above all others first, for two of one number cannot be. */
const renumber = async (by: number, where: string) => {
  await update('seq = seq + 1000', where)
  await update(`seq = seq - 1000 + ${by}`, 'seq > 1000')
}
const headBackTo = (seq: number) =>
  audit.sql(`UPDATE audit_chains c SET seq = e.seq, hash = e.hash FROM audit_events e WHERE c.id = $1 AND ${chainOf} = c.id AND e.seq = $2`, [a, seq])

const edits: readonly (readonly [string, string])[] = [
  ['id', `id = '${randomUUID()}'`],
  ['occurred_at', "occurred_at = occurred_at + interval '1 ms'"],
  ['occurred_at to infinity', "occurred_at = 'infinity'"],
  ['action', "action = 'thing.kept'"],
  ['outcome', "outcome = 'refused'"],
  ['actor_kind', "actor_kind = 'user'"],
  ['actor_id', 'actor_id = NULL'],
  ['target_kind', "target_kind = 'user'"],
  ['target_id', "target_id = 'thing-7'"],
  ['target', `target = '{"id":"thing-2","n":2}'`],
  ["the target's own id", `target = jsonb_set(target::jsonb, '{id}', '"thing-7"')::json`],
  ['request_id', "request_id = ''"],
  ['ip', "ip = '192.0.2.2'"],
  ['user_agent', 'user_agent = NULL'],
  ['previous', 'previous = hash'],
  ['previous to nothing', 'previous = NULL'],
  ['hash', 'hash = previous'],
  ['hash to nothing', 'hash = NULL'],
]

interface Tampering {
  readonly title: string
  readonly act: () => Promise<unknown>
  readonly found: readonly string[]
}

const mutations: readonly Tampering[] = [
  ...edits.map(([column, set]) => ({ title: `edits ${column}`, act: () => update(set), found: ['edited a 6-6'] })),
  ...edits.map(([column, set]) => ({ title: `edits ${column} of the last event`, act: () => update(set, 'seq = 12'), found: ['edited a 12-12'] })),
  { title: 'edits the number', act: () => update('seq = 99'), found: ['reordered a 7-7', 'inserted a 13-99'] },
  { title: 'edits the number to none', act: () => update('seq = 0'), found: ['deleted a 6-6', 'inserted a -'] },
  { title: 'edits the organization', act: () => update(`organization_id = '${b}', seq = 13`), found: ['deleted a 6-6', 'inserted b 13-13'] },
  { title: 'deletes the first', act: () => remove('seq = 1'), found: ['deleted a 1-1'] },
  { title: 'deletes some in the middle', act: () => remove('seq IN (5, 6)'), found: ['deleted a 5-6'] },
  { title: 'deletes the last', act: () => remove('seq = 12'), found: ['cut a 12-12'] },
  {
    title: 'deletes one and renumbers the rest',
    act: async () => [await remove('seq = 6'), await renumber(-1, 'seq > 6')],
    found: ['cut a 12-12', 'deleted a 6-6', 'rewritten a 4-7'],
  },
  {
    title: 'reorders two neighbours',
    act: async () => [await update('seq = 1000', 'seq = 9'), await update('seq = 9', 'seq = 10'), await update('seq = 10', 'seq = 1000')],
    found: ['reordered a 9-11'],
  },
  {
    title: 'reorders the first two',
    act: async () => [await update('seq = 1000', 'seq = 1'), await update('seq = 1', 'seq = 2'), await update('seq = 2', 'seq = 1000')],
    found: ['reordered a 1-3'],
  },
  {
    title: 'reorders two that are apart',
    act: async () => [await update('seq = 1000', 'seq = 4'), await update('seq = 4', 'seq = 10'), await update('seq = 10', 'seq = 1000')],
    found: ['reordered a 10-11', 'reordered a 4-5'],
  },
  { title: 'inserts after the last', act: () => copy({ to: a, seq: 13 }), found: ['inserted a 13-13'] },
  {
    title: 'inserts in the middle',
    act: async () => [await renumber(1, 'seq > 8'), await copy({ to: a, seq: 9, of: 6 }), await head('seq = seq + 1')],
    found: ['inserted a 9-9'],
  },
  { title: 'inserts one that stands in no chain', act: () => copy({ to: a, seq: 0 }), found: ['inserted a -'] },
  { title: 'copies into another organization', act: () => copy({ to: b, seq: 13 }), found: ['inserted b 13-13'] },
  {
    title: 'copies over an event of another organization',
    act: async () => [await audit.sql('DELETE FROM audit_events WHERE organization_id = $1 AND seq = 6', [b]), await copy({ to: b, seq: 6 })],
    found: ['deleted b 7-7', 'inserted b 6-6'],
  },
  { title: 'cuts the tail', act: () => remove('seq > 9'), found: ['cut a 10-12'] },
  { title: 'cuts the tail and sets the head back', act: async () => [await headBackTo(9), await remove('seq > 9')], found: ['rewritten a 1-9'] },
  {
    title: 'cuts the tail before a checkpoint and sets the head back',
    act: async () => [await headBackTo(5), await remove('seq > 5')],
    found: ['cut a -7', 'rewritten a 1-5'],
  },
  {
    title: 'cuts the tail, sets the head back and deletes the checkpoints',
    act: async () => [
      await headBackTo(5),
      await remove('seq > 5'),
      await audit.sql('DELETE FROM audit_checkpoints WHERE chain = $1', [a]),
      await head('checkpoint_number = 0, checkpoint_mac = NULL'),
    ],
    found: ['rewritten a 1-5'],
  },
  { title: 'sets the head back', act: () => headBackTo(9), found: ['inserted a 10-12', 'rewritten a 1-9'] },
  { title: 'sets the head ahead', act: () => head('seq = 20'), found: ['cut a 13-20'] },
  { title: 'edits the hash of the head', act: () => head("hash = '\\x00'"), found: ['rewritten a 1-12'] },
  { title: 'edits the MAC of the head', act: () => head("mac = '\\x00'"), found: ['rewritten a 1-12'] },
  { title: 'edits the beginning of the chain', act: () => head("started_at = '2040-01-01'"), found: ['rewritten a 1-12'] },
  {
    title: 'rewrites the chain from an edit on',
    act: async () => [await update("action = 'thing.kept'"), await rechain(audit, a, { from: 6 })],
    found: ['rewritten a 1-12', 'rewritten a 4-7'],
  },
  {
    title: 'rewrites the chain after the newest checkpoint',
    act: async () => [await update("action = 'thing.kept'", 'seq = 10'), await rechain(audit, a, { from: 10 })],
    found: ['rewritten a 1-12'],
  },
  {
    title: 'rewrites the chain and leaves the head',
    act: async () => [await update("ip = ''", 'seq = 10'), await rechain(audit, a, { from: 10, isHeadMoved: false })],
    found: ['rewritten a 1-12'],
  },
  { title: 'rewrites the chain without an event', act: async () => [await remove('seq = 10'), await rechain(audit, a)], found: ['rewritten a 1-11'] },
  {
    title: 'forges a checkpoint',
    act: () => audit.sql(`UPDATE audit_checkpoints SET jws = jws || 'x' WHERE chain = $1 AND number = 1`, [a]),
    found: ['forged_checkpoint a -3'],
  },
  {
    title: 'edits what a checkpoint says',
    act: () => audit.sql(`UPDATE audit_checkpoints SET seq = 4 WHERE chain = $1 AND number = 1`, [a]),
    found: ['forged_checkpoint a -4'],
  },
  {
    title: "gives a checkpoint another organization's place",
    act: () =>
      audit.sql('UPDATE audit_checkpoints k SET jws = o.jws FROM audit_checkpoints o WHERE k.chain = $1 AND o.chain = $2 AND k.number = o.number', [a, b]),
    found: ['forged_checkpoint a -3', 'forged_checkpoint a -7'],
  },
  {
    title: 'deletes the first checkpoint',
    act: () => audit.sql('DELETE FROM audit_checkpoints WHERE chain = $1 AND number = 1', [a]),
    found: ['deleted_checkpoint a 1-7'],
  },
  {
    title: 'deletes the newest checkpoint',
    act: () => audit.sql('DELETE FROM audit_checkpoints WHERE chain = $1 AND number = 2', [a]),
    found: ['deleted_checkpoint a 4-'],
  },
  {
    title: 'deletes the newest checkpoint and sets its number back',
    act: async () => [await audit.sql('DELETE FROM audit_checkpoints WHERE chain = $1 AND number = 2', [a]), await head('checkpoint_number = 1')],
    found: ['forged_checkpoint a -3'],
  },
  { title: 'deletes all checkpoints', act: () => audit.sql('DELETE FROM audit_checkpoints WHERE chain = $1', [a]), found: ['deleted_checkpoint a 1-'] },
  { title: 'deletes the head', act: () => audit.sql('DELETE FROM audit_chains WHERE id = $1', [a]), found: ['cut a 1-'] },
  { title: 'deletes an organization’s whole log', act: () => audit.wipe(a), found: ['cut a 1-'] },
  { title: 'deletes the head of the system', act: () => audit.sql('DELETE FROM audit_chains WHERE id = $1', [systemChain]), found: ['cut system 1-'] },
]

const truncate = async () => {
  for (const table of ['audit_events', 'audit_chains', 'audit_checkpoints']) await audit.sql(`TRUNCATE ${table}`)
}
const forgetStart = (which: string) =>
  audit.sql(
    `DELETE FROM audit_events WHERE action = 'audit.chain_started' AND target_id = $1 AND seq = (SELECT ${which}(seq) FROM audit_events WHERE target_id = $1)`,
    [audit.a],
  )

const wipes: readonly Tampering[] = [
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

for (const { title, act, found } of [...mutations, ...wipes])
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

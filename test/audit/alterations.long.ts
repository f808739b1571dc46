// Alterations at random, two hundred and twenty of them: every one is found.
import test from 'ava'
import fc from 'fast-check'
import { systemChain } from '../../src/platform/data/event-chain.ts'
import { chainOf, keepLog, openTestAudit, rechain, type TestAudit } from '../support/audit.ts'

let audit: TestAudit
let restore: () => Promise<void>
let chains: readonly string[]
const events = 12

test.before(async () => {
  audit = await openTestAudit()
  chains = [systemChain, await audit.makeOrganization(), await audit.makeOrganization()]
  for (const count of [3, 4, 5]) {
    for (const chain of chains) await audit.write(chain === systemChain ? undefined : chain, count)
    await audit.checkpoints.make()
    audit.passMinutes(2)
  }
  restore = await keepLog(audit)
})
test.after.always(() => audit?.close())

const eventEdits = [
  'id = gen_random_uuid()',
  "occurred_at = occurred_at - interval '1 second'",
  "action = action || 'x'",
  "outcome = 'refused'",
  "actor_kind = 'x'",
  "actor_id = coalesce(actor_id, '') || 'x'",
  "target_kind = 'x'",
  "target_id = coalesce(target_id, '') || 'x'",
  `target = '{"n":-1}'`,
  "request_id = 'x'",
  "ip = coalesce(ip, '') || 'x'",
  "user_agent = coalesce(user_agent, '') || ' '",
] as const
const linkEdits = ['organization_id = gen_random_uuid()', 'seq = seq + 500', 'seq = -seq', "previous = '\\x01'", "hash = '\\x01'", 'hash = NULL'] as const
const headEdits = [
  "started_at = started_at + interval '1 ms'",
  'seq = seq + 3',
  'seq = seq - 2',
  "hash = '\\x'",
  'mac = hash',
  'checkpoint_number = checkpoint_number + 1',
  'checkpoint_number = 0',
  'checkpoint_mac = mac',
] as const
const checkpointEdits = [
  'id = gen_random_uuid()',
  'number = number + 7',
  'seq = seq + 1',
  "hash = '\\x'",
  "created_at = created_at + interval '1 ms'",
  "jws = replace(jws, '.', '..')",
] as const

const place = fc.integer({ min: 1, max: events })
const chain = fc.integer({ min: 0, max: 2 })
const where = `WHERE ${chainOf} = $1 AND seq`
const any = fc.oneof(
  fc.record({ kind: fc.constant('edit' as const), chain, place, set: fc.constantFrom(...eventEdits, ...linkEdits) }),
  fc.record({ kind: fc.constant('rechain' as const), chain, place, set: fc.constantFrom(...eventEdits) }),
  fc.record({ kind: fc.constant('delete' as const), chain, place, many: fc.integer({ min: 0, max: events }) }),
  fc.record({ kind: fc.constant('head' as const), chain, set: fc.constantFrom(...headEdits) }),
  fc.record({ kind: fc.constant('checkpoint' as const), chain, number: fc.integer({ min: 1, max: 3 }), set: fc.constantFrom('', ...checkpointEdits) }),
  fc.record({ kind: fc.constant('reorder' as const), chain, places: fc.uniqueArray(place, { minLength: 2, maxLength: 2 }) }),
  fc.record({ kind: fc.constant('insert' as const), chain, place, at: fc.oneof(fc.constant(0), fc.integer({ min: events + 1, max: 40 })) }),
)

const alter = async (one: typeof any extends fc.Arbitrary<infer Alteration> ? Alteration : never) => {
  const id = chains[one.chain] ?? systemChain
  const organizationId = id === systemChain ? null : id
  if (one.kind === 'head') return audit.sql(`UPDATE audit_chains SET ${one.set} WHERE id = $1`, [id])
  if (one.kind === 'delete') return audit.sql(`DELETE FROM audit_events ${where} BETWEEN $2 AND $2::bigint + $3`, [id, one.place, one.many])
  if (one.kind === 'checkpoint')
    return audit.sql(`${one.set ? `UPDATE audit_checkpoints SET ${one.set}` : 'DELETE FROM audit_checkpoints'} WHERE chain = $1 AND number = $2`, [
      id,
      one.number,
    ])
  if (one.kind === 'insert')
    return audit.sql(
      `INSERT INTO audit_events (id, organization_id, seq, occurred_at, action, outcome, actor_kind, target_kind, target, previous, hash)
       SELECT gen_random_uuid(), $3, $4, occurred_at, action, outcome, actor_kind, target_kind, target, previous, hash FROM audit_events ${where} = $2`,
      [id, one.place, organizationId, one.at],
    )
  if (one.kind === 'reorder') {
    const [first, second] = one.places
    for (const [to, from] of [
      [1000, first],
      [first, second],
      [second, 1000],
    ])
      await audit.sql(`UPDATE audit_events SET seq = $3 ${where} = $2`, [id, from, to])
    return
  }
  await audit.sql(`UPDATE audit_events SET ${one.set} ${where} = $2`, [id, one.place])
  if (one.kind === 'rechain') await rechain(audit, id)
}

test('of two hundred and twenty alterations made at random every one is found, and none where there was none', async t => {
  t.timeout(110_000)
  const kinds = new Map<string, number>()
  await fc.assert(
    fc.asyncProperty(any, async one => {
      await restore()
      await alter(one)
      const { isIntact, faults } = await audit.verification.verify({})
      for (const kind of new Set(faults.map(({ kind }) => kind))) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
      return !isIntact
    }),
    { numRuns: 220, seed: 20_300_101, endOnFailure: true },
  )
  await restore()
  t.true((await audit.verification.verify({})).isIntact)
  t.log([...kinds].map(([kind, count]) => `${kind} ${count}`).join(', '))
})

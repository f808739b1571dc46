// A written audit log: twelve events and two checkpoints of each of two organizations and some of none, put back as often as wanted.
import { systemChain } from '../../src/platform/data/event-chain.ts'
import { chainOf, keepLog, openTestAudit } from './audit.ts'

/** How many events each organization has. */
export const eventsOfEach = 12

export type WrittenAudit = Awaited<ReturnType<typeof openWrittenAudit>>

/** Opens and writes it. */
export async function openWrittenAudit() {
  const audit = await openTestAudit()
  await audit.write()
  const a = await audit.makeOrganization()
  const b = await audit.makeOrganization()
  for (const count of [3, 4, 5]) {
    if (count > 3) await audit.checkpoints.make()
    await audit.write(a, count)
    for (let n = 0; n < count; n += 1) {
      await audit.write(b)
      await audit.write()
    }
    audit.passMinutes(2)
  }
  const newestOf = async (organizationId: string) => (await audit.checkpointList.list({ organizationId }, { limit: 1 })).rows[0]?.jws ?? ''
  const nameOf = (id: string | undefined) => (id === a ? 'a' : id === b ? 'b' : 'system')
  return {
    ...audit,
    a,
    b,
    newestOf,
    /** The newest checkpoint of `a` and of the system, kept elsewhere. */
    checkpoint: await newestOf(a),
    systemCheckpoint: await newestOf(systemChain),
    restore: await keepLog(audit),
    /** What a verification finds: kind, chain and places, in the order of the alphabet. */
    kindsOf: async (asked: { organizationId?: string; checkpoint?: string } = {}) => {
      const { isIntact, faults } = await audit.verification.verify(asked)
      if (isIntact !== (faults.length === 0)) throw new Error('intact and faults disagree')
      return faults.map(({ kind, organizationId, from, to }) => `${kind} ${nameOf(organizationId)} ${from ?? ''}-${to ?? ''}`).toSorted()
    },
    /** Takes all of a chain away that is beside it: events, head and checkpoints. */
    wipe: async (chain: string) => {
      await audit.sql(`DELETE FROM audit_events WHERE ${chainOf} = $1`, [chain])
      await audit.sql('DELETE FROM audit_chains WHERE id = $1', [chain])
      await audit.sql('DELETE FROM audit_checkpoints WHERE chain = $1', [chain])
    },
  }
}

// Verifies the log: every chain is replayed and held against its beginning, its head, its checkpoints and one that was kept elsewhere.
//
// What it cannot see: an older state put back, of a chain with its head and checkpoints or of all; and all of the log taken away together with the
// anchor, which is as if nothing had ever been written. That is what the checkpoint is for that was kept elsewhere: of an organization it shows it
// for that one, of the system for its chain, and so for all chains that had begun. One organization alone is held against the events of the
// system's chain as they stand; whether those were altered is seen where all chains are verified. Events from before there were chains
// (`seq` 0) are not covered.
import { type ChainMacs, genesisOf, systemChain } from '../platform/data/event-chain.ts'
import { Problem } from '../platform/errors.ts'
import { beginningFaults } from './beginning-faults.ts'
import type { ChainReader, ChainState, Head } from './chain-reader.ts'
import type { CheckpointSigner } from './checkpoint.ts'
import type { CheckpointFaults } from './checkpoint-faults.ts'
import { diagnose, faultOf } from './diagnosis.ts'
import { type Fault, maxFaults } from './fault.ts'
import { createReplay } from './replay.ts'
import { createSlots } from './slots.ts'

/** A fault and whose chain it is in; none for that of the system. */
export interface ChainFault extends Fault {
  readonly organizationId?: string
}

/** What a verification saw; at most a hundred faults. */
export interface Verified {
  readonly isIntact: boolean
  readonly events: number
  readonly chains: number
  readonly faults: readonly ChainFault[]
}

/** Verifies. */
export interface Verification {
  /**
   * All chains, or one organization's; `checkpoint` is one that was kept elsewhere, of any chain, or else of that organization's.
   * Throws `validation_failed` for another organization's, `not_found` where there is neither chain nor organization, and `busy` while as many
   * verifications run in this process as may; one that `within` an organization asks takes its slot, any other that of the system.
   */
  verify(asked: { organizationId?: string; checkpoint?: string; within?: string }): Promise<Verified>
}

interface Needs {
  readonly reader: ChainReader
  readonly signer: CheckpointSigner
  readonly checkpointFaults: CheckpointFaults
  readonly macs: ChainMacs
}

/** Makes the service. */
export const createVerification = ({ reader, signer, checkpointFaults, macs }: Needs): Verification => {
  const replayed = async (chain: string, head: Head) => {
    const replay = createReplay({ from: { seq: 0, hash: genesisOf(chain), mac: macs.first(chain, head.startedAt) }, macs })
    for await (const rows of reader.rows(chain, { after: 0, upTo: head.seq })) {
      for (const row of rows) replay.take(row)
      if (replay.isFull()) break
    }
    return { count: replay.count, faults: await diagnose(chain, { replayed: replay.end(head), head, reader }) }
  }

  const verifyChain = async (chain: string): Promise<{ count: number; faults: readonly Fault[] }> => {
    const state = await reader.state(chain)
    if (isNothing(chain, state)) throw new Problem('not_found')
    const ofCheckpoints = await checkpointFaults.ofChain(chain, state)
    const beginning = beginningFaults(chain, { state, macs })
    const beyond = [...strayFaults(state), ...ofCheckpoints]
    if (!state.head) return { count: 0, faults: [...beginning, ...beyond] }
    const { count, faults } = await replayed(chain, state.head)
    // A head that is not ours says nothing of its beginning.
    const isRewritten = faults.some(({ kind }) => kind === 'rewritten')
    return { count, faults: [...(isRewritten ? [] : beginning), ...faults, ...beyond] }
  }

  const verifyGiven = async (jws: string, organizationId: string | undefined): Promise<readonly ChainFault[]> => {
    const claims = await signer.open(jws)
    if (!claims) return [{ kind: 'forged_checkpoint', message: 'The given checkpoint was not signed by this server.' }]
    if (organizationId !== undefined && claims.organization_id !== organizationId)
      throw new Problem('validation_failed', { fields: [{ path: 'checkpoint', message: 'This is the checkpoint of another chain.' }] })
    return of(claims.organization_id ?? systemChain, await checkpointFaults.ofGiven({ claims, jws }))
  }

  const run: Verification['verify'] = async ({ organizationId, checkpoint }) => {
    const faults: ChainFault[] = checkpoint === undefined ? [] : [...(await verifyGiven(checkpoint, organizationId))]
    let [events, chains] = [0, 0]
    for await (const chain of organizationId === undefined ? reader.chains() : [organizationId]) {
      const verified = await verifyChain(chain)
      faults.push(...of(chain, verified.faults))
      events += verified.count
      chains += 1
      if (faults.length >= maxFaults) break
    }
    return { isIntact: faults.length === 0, events, chains, faults: faults.slice(0, maxFaults) }
  }

  const slots = createSlots({ organizations: 2, system: 1 })
  return {
    verify: async ({ within, ...asked }) => {
      const giveBack = slots.take(within)
      try {
        return await run(asked)
      } finally {
        giveBack()
      }
    },
  }
}

const of = (chain: string, faults: readonly Fault[]): ChainFault[] =>
  faults.map(fault => ({ ...fault, organizationId: chain === systemChain ? undefined : chain }))

const isNothing = (chain: string, { head, lastSeq, lastCheckpoint, starts, isOfOrganization }: ChainState): boolean =>
  chain !== systemChain && !head && lastSeq === 0 && lastCheckpoint === 0 && starts.length === 0 && !isOfOrganization

const strayFaults = ({ head, lastSeq, hasStrays }: ChainState): readonly Fault[] => [
  ...(head && lastSeq > head.seq ? [faultOf('inserted', { from: head.seq + 1, to: lastSeq })] : []),
  ...(hasStrays ? [faultOf('inserted', {}, 'An event stands in no chain, although it is newer than its chain.')] : []),
]

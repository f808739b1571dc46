// Verifies the log: every chain is replayed and held against its head, its checkpoints and one that was kept elsewhere.
//
// What it cannot see: a whole older state of the database put back, head and checkpoints too. That is what the checkpoint is for that
// was kept elsewhere; whoever gives one sees it. Events from before there were chains (`seq` 0) are not covered.
import { type ChainMacs, genesisOf, systemChain } from '../platform/data/event-chain.ts'
import { Problem } from '../platform/errors.ts'
import type { ChainReader, ChainState, Head } from './chain-reader.ts'
import type { CheckpointSigner } from './checkpoint.ts'
import type { CheckpointFaults } from './checkpoint-faults.ts'
import { diagnose, faultOf } from './diagnosis.ts'
import { type Fault, maxFaults } from './fault.ts'
import { createReplay } from './replay.ts'

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
   * Throws `validation_failed` for another organization's, and `busy` while another verification runs in this process.
   */
  verify(asked: { organizationId?: string; checkpoint?: string }): Promise<Verified>
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
    const ofCheckpoints = await checkpointFaults.ofChain(chain, state)
    const beyond = [...strayFaults(state), ...ofCheckpoints]
    if (!state.head) return { count: 0, faults: [...headless(state), ...beyond] }
    const { count, faults } = await replayed(chain, state.head)
    return { count, faults: [...faults, ...beyond] }
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

  let isBusy = false
  return {
    verify: async asked => {
      if (isBusy) throw new Problem('busy', { retryAfterSeconds: 10 })
      isBusy = true
      try {
        return await run(asked)
      } finally {
        isBusy = false
      }
    },
  }
}

const of = (chain: string, faults: readonly Fault[]): ChainFault[] =>
  faults.map(fault => ({ ...fault, organizationId: chain === systemChain ? undefined : chain }))

const headless = ({ lastSeq, lastCheckpoint, isOwed }: ChainState): readonly Fault[] =>
  lastSeq > 0 || lastCheckpoint > 0 || isOwed ? [faultOf('cut', { from: 1 }, 'The head of the chain is missing.')] : []

const strayFaults = ({ head, lastSeq, hasStrays }: ChainState): readonly Fault[] => [
  ...(head && lastSeq > head.seq ? [faultOf('inserted', { from: head.seq + 1, to: lastSeq })] : []),
  ...(hasStrays ? [faultOf('inserted', {}, 'An event stands in no chain, although it is newer than its chain.')] : []),
]

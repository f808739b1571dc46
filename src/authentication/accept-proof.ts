// What a proven address is worth to its account. Whoever proves it first takes an account over that anybody could have made in their
// name (pre-hijacking: Sudhodanan & Paverd, «Pre-hijacked accounts», USENIX Security 2022), so what was put in before is erased.
import type { Challenges } from '../challenges/challenges.ts'
import type { RecordEvent } from '../platform/data/change.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import type { EraseUnproven, ProveEmail } from '../users/user.ts'

/** A proof of an account's address. */
export interface AddressProof {
  readonly userId: string
  readonly email: string
  /** Whether they also proved to be who made the account: by its password or a session of it. Then nothing is erased. */
  readonly isOwner?: boolean
}

/** Accepts a proof in the change's own transaction, and tells of the first one. Throws `proof_expired` where the account is not there for it any more. */
export type AcceptProof = (tx: TransactionClient, record: RecordEvent, proof: AddressProof) => Promise<{ readonly isFirst: boolean }>

interface Needs {
  readonly proveEmail: ProveEmail
  readonly challenges: Challenges
  /** Of all who keep what signs somebody in or acts for them: agents, sessions, passwords, factors, identities. */
  readonly erasures: readonly EraseUnproven[]
}

/** Makes it. */
export const createAcceptProof =
  ({ proveEmail, challenges, erasures }: Needs): AcceptProof =>
  async (tx, record, { userId, email, isOwner = false }) => {
    const proven = await proveEmail(tx, { userId, email })
    if (!proven) throw new Problem('proof_expired')
    if (proven.isFirst && !isOwner) {
      for (const erase of erasures) await erase(tx, userId)
      await challenges.voidAll(tx, { userId })
    }
    if (proven.isFirst) record('email.verified', { id: userId, is_first: true })
    return proven
  }

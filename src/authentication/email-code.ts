// Signing in by what was mailed: a code, or the link beside it, in the browser that asked. It proves the address too.
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import { Problem } from '../platform/errors.ts'
import type { Users } from '../users/users.ts'
import type { AcceptProof } from './accept-proof.ts'
import type { Proof } from './authentication.ts'
import type { AnswerHere, Proofs } from './proofs.ts'

/** Proves people by mail. */
export interface EmailCode {
  /** Throws `code_wrong` while there are tries left, else `proof_expired`. */
  prove(actor: Actor, answer: Omit<AnswerHere, 'purpose'>): Promise<Proof>
}

interface Needs {
  readonly proofs: Proofs
  readonly users: Users
  readonly change: Change
  readonly acceptProof: AcceptProof
  readonly now: () => Date
}

const method = 'email_code'

/** Makes the service. */
export const createEmailCode = ({ proofs, users, change, acceptProof, now }: Needs): EmailCode => ({
  prove: async (actor, answer) => {
    try {
      const { email } = await proofs.redeemHere({ ...answer, purpose: 'sign_in' })
      const user = await users.findByEmail(email)
      if (!user || user.isSuspended) throw new Problem('proof_expired')
      const { isFirst } = await change({ ...actor, kind: 'user', id: user.id }, async (tx, record) => {
        const accepted = await acceptProof(tx, record, { userId: user.id, email })
        record('sign_in.succeeded', { id: user.id, method })
        return accepted
      })
      const tookOver = isFirst ? { tookOverAt: now() } : {}
      users.forget(user.id)
      // RFC 8176 §2: a one-time password, whatever carried it. One factor: it is `mfa` only together with another.
      return { user: { ...user, isEmailVerified: true }, amr: ['otp'], ...tookOver }
    } catch (error) {
      if (error instanceof Problem && (error.code === 'code_wrong' || error.code === 'proof_expired'))
        await change(actor, async (_tx, record) => record('sign_in.refused', { method, reason: 'credentials' }, { outcome: 'refused' }))
      throw error
    }
  },
})

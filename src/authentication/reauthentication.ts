// Proving oneself once more in a session: by the second factor where there is one, else by the password.
import { type CodeFactor, codesOf, withSecondFactor } from '../mfa/authenticator.ts'
import type { SecondFactor } from '../mfa/second-factor.ts'
import type { Actor } from '../platform/actor.ts'
import { Problem } from '../platform/errors.ts'
import type { RecentProofs } from '../sessions/recent-proofs.ts'
import type { User } from '../users/user.ts'
import type { SignIn } from './sign-in.ts'

/** What is proven with: a code of a factor, or the password. */
export type Reproof = { readonly factor: CodeFactor; readonly code: string } | { readonly password: string }

/** Renews the proof of a session. */
export interface Reauthentication {
  /**
   * Throws `invalid_code`, `invalid_credentials` or `too_many_attempts`; and `validation_failed` for a password where the user has
   * a second factor: whoever stole a password must not be able to take the factor away. `reauthentication_required` where that is a
   * passkey, which is proven on the hosted pages alone.
   */
  prove(actor: Actor, proof: { user: User; by: Reproof }): Promise<void>
}

/** Makes the service. */
export const createReauthentication = (needs: { signIn: SignIn; secondFactor: SecondFactor; recentProofs: RecentProofs }): Reauthentication => ({
  prove: async (actor, { user, by }) => {
    if ('code' in by) {
      const { amr } = await needs.secondFactor.prove(actor, { userId: user.id, factor: by.factor, code: by.code })
      return needs.recentProofs.renew(actor, withSecondFactor([], amr))
    }
    const held = await needs.secondFactor.list(user.id)
    const factors = codesOf(held)
    if (held.length > 0 && factors.length === 0) throw new Problem('reauthentication_required')
    if (factors.length > 0) throw new Problem('validation_failed', { fields: [{ path: 'code', message: `a code is required: ${factors.join(' or ')}` }] })
    const { amr } = await needs.signIn.prove(actor, { identifier: user.email, password: by.password, isAgain: true })
    await needs.recentProofs.renew(actor, amr)
  },
})

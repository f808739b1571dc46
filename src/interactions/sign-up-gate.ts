// Who may make an account in an interaction: the system says, the client's organization may close what is open, and whoever opened the
// link of an invitation may make one for the invited address, even where it is closed.
import type { Context } from 'koa'
import { Problem } from '../platform/errors.ts'
import { normalizeEmail } from '../users/email.ts'
import type { Interaction, Offers } from './interaction.ts'

/** That an account may be made. */
export interface SignUpOffer {
  /** The one address for which it may be, in its canonical form; absent for any. */
  readonly onlyFor?: string
}

/** Asked at each part of signing up, for the answer may have changed in between. */
export interface SignUpGate {
  /** `upstream` where another provider vouches for them. */
  find(ctx: Context, interaction: Interaction, by?: 'password' | 'upstream'): Promise<SignUpOffer | undefined>
  /** Throws `not_found` where no account may be made, or none for this address. */
  get(ctx: Context, interaction: Interaction, email?: string): Promise<SignUpOffer>
}

/** What the gate asks. */
export interface GateNeeds {
  readonly offers: Offers
  readonly findSignUpRule: (clientId: string) => Promise<{ readonly organizationId?: string | undefined; readonly isOpen: boolean }>
  /** The invitation whose link this browser opened, while it can be accepted. */
  readonly findInvited: (ctx: Context) => Promise<{ readonly email: string; readonly organization: { readonly id: string } } | undefined>
}

/** Makes it. An invitation opens the pages of its own organization's clients, and of those that are nobody's. */
export const createSignUpGate = ({ offers, findSignUpRule, findInvited }: GateNeeds): SignUpGate => {
  const find = async (ctx: Context, { clientId }: Interaction, by: 'password' | 'upstream' = 'password'): Promise<SignUpOffer | undefined> => {
    const who = by === 'upstream' ? offers.upstreamSignUp : offers.signUp
    if (who === 'nobody') return undefined
    const { organizationId, isOpen } = await findSignUpRule(clientId)
    if (who === 'everybody' && isOpen) return {}
    const invited = await findInvited(ctx)
    const isOfThis = organizationId === undefined || organizationId === invited?.organization.id
    return invited && isOfThis ? { onlyFor: invited.email } : undefined
  }
  return {
    find,
    get: async (ctx, interaction, email) => {
      const offer = await find(ctx, interaction)
      if (!offer || (email !== undefined && !isFor(offer, email))) throw new Problem('not_found')
      return offer
    },
  }
}

/** Whether it is for this address. */
export const isFor = ({ onlyFor }: SignUpOffer, email: string): boolean => onlyFor === undefined || normalizeEmail(email) === onlyFor

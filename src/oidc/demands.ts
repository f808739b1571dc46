// What a sign-in still lacks: asked by the system, the client's organization, the request, and by an authenticator app that somebody has.
//
// Whoever has a factor of any kind proves it wherever a second one is demanded, and is never led to enrol another without it: a stolen
// password would enrol one of its thief's. A passkey asks for nothing by itself, for it is a way in of its own and not everywhere at
// hand: who signs in by password where one factor is enough is asked for a second one only if they added an authenticator app.
import type { Clients } from '../clients/clients.ts'
import { multiFactor } from '../mfa/authenticator.ts'
import type { FactorRequirement } from '../mfa/requirement.ts'
import type { SecondFactor } from '../mfa/second-factor.ts'
import { askedAcr, factorWish } from './acr.ts'

/** What has to be done next. */
export type NextProof = 'second_factor' | 'enrolment'

/** What was proven, and what it is for. */
export interface Proven {
  readonly userId: string
  readonly amr: readonly string[]
  /** Whether somebody is signing in just now; else a session goes on, and who enrolled a factor in it stays. */
  readonly isSigningIn: boolean
  readonly clientId: string
  /** The organization that the tokens are to be for. */
  readonly organizationId?: string | undefined
  readonly params: Readonly<Record<string, unknown>>
}

/** Says what is missing. */
export interface Demands {
  /** Nothing: what was proven is enough. */
  next(proven: Proven): Promise<NextProof | undefined>
  /** Whether a refresh token of a sign-in with one factor has become worth nothing: a second one is required by now. */
  isOutdated(token: { userId: string; amr: readonly string[]; clientId?: string; organizationId?: string | undefined }): Promise<boolean>
}

interface Needs {
  readonly clients: Clients
  readonly secondFactor: SecondFactor
  readonly requirement: FactorRequirement
}

/** Makes it. A session in which a second factor was proven costs no query. */
export const createDemands = ({ clients, secondFactor, requirement }: Needs): Demands => {
  // Whoever enters a client of an organization, or gets tokens for one, does as it requires.
  const isRequired = async ({ userId, clientId, organizationId }: { userId: string; clientId?: string; organizationId?: string | undefined }) => {
    const owner = clientId === undefined ? undefined : (await clients.find(clientId))?.organizationId
    if (await requirement.isRequired({ userId, organizationId: owner })) return true
    return organizationId !== undefined && organizationId !== owner && requirement.isRequired({ userId, organizationId })
  }
  return {
    next: async ({ userId, amr, isSigningIn, clientId, organizationId, params }) => {
      if (amr.includes(multiFactor)) return undefined
      const wish = factorWish(askedAcr(params))
      const isMust = wish === 'demand' || (await isRequired({ userId, clientId, organizationId }))
      const isWanted = isMust || wish === 'wish'
      if (!isSigningIn && !isWanted) return undefined
      const factors = await secondFactor.list(userId)
      if (isWanted ? factors.length > 0 : factors.includes('totp')) return 'second_factor'
      // OpenID Connect Core §5.5.1.1: a wish that cannot be met is answered with what can be given.
      return isMust ? 'enrolment' : undefined
    },
    isOutdated: async ({ amr, ...token }) => !amr.includes(multiFactor) && (await isRequired(token)),
  }
}

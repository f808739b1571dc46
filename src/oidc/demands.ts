// What a sign-in still lacks: asked by the system, the client's organization, the request, and by every factor somebody has.
import type { Clients } from '../clients/clients.ts'
import { multiFactor } from '../mfa/authenticator.ts'
import type { FactorRequirement } from '../mfa/requirement.ts'
import type { SecondFactor } from '../mfa/second-factor.ts'
import { askedAcr, wantsSecondFactor } from './acr.ts'

/** What has to be done next. */
export type NextProof = 'second_factor' | 'enrolment'

/** What was proven, and what it is for. */
export interface Proven {
  readonly userId: string
  readonly amr: readonly string[]
  /** Whether somebody is signing in just now; else a session goes on, and who enrolled a factor in it stays. */
  readonly isSigningIn: boolean
  readonly clientId: string
  readonly params: Readonly<Record<string, unknown>>
}

/** Says what is missing. */
export interface Demands {
  /** Nothing: what was proven is enough. */
  next(proven: Proven): Promise<NextProof | undefined>
  /** Whether a refresh token of a sign-in with one factor has become worth nothing: a second one is required by now. */
  isOutdated(token: { userId: string; amr: readonly string[]; clientId?: string }): Promise<boolean>
}

interface Needs {
  readonly clients: Clients
  readonly secondFactor: SecondFactor
  readonly requirement: FactorRequirement
}

/** Makes it. A session in which a second factor was proven costs no query. */
export const createDemands = ({ clients, secondFactor, requirement }: Needs): Demands => {
  const isRequired = async (userId: string, clientId: string | undefined) => {
    const organizationId = clientId === undefined ? undefined : (await clients.find(clientId))?.organizationId
    return requirement.isRequired({ userId, organizationId })
  }
  return {
    next: async ({ userId, amr, isSigningIn, clientId, params }) => {
      if (amr.includes(multiFactor)) return undefined
      const asked = askedAcr(params)
      const isWanted = wantsSecondFactor(asked, amr)
      const isMust = await isRequired(userId, clientId)
      if (!isSigningIn && !isMust && !isWanted) return undefined
      const factors = await secondFactor.list(userId)
      if (factors.length > 0) return 'second_factor'
      // OpenID Connect Core §5.5.1.1: what is asked for voluntarily and cannot be given is answered with what can.
      return isMust || (isWanted && asked.isEssential) ? 'enrolment' : undefined
    },
    isOutdated: async ({ userId, amr, clientId }) => !amr.includes(multiFactor) && (await isRequired(userId, clientId)),
  }
}

// Second factors: enrolled, demanded, proven, and what a sign-in to the API becomes by them.

import { createApiSignIn } from './authentication/api-sign-in.ts'
import { createGuessBudget, type MakeGuessBudget } from './authentication/guess-budget.ts'
import { createReauthentication } from './authentication/reauthentication.ts'
import type { AuthenticationServices } from './authentication-services.ts'
import type { Config } from './config.ts'
import type { Foundation } from './foundation.ts'
import { createAuthenticators } from './mfa/authenticators.ts'
import { createPasskeys } from './mfa/passkeys.ts'
import { createRecoveryCodes } from './mfa/recovery-codes.ts'
import { createFactorRequirement } from './mfa/requirement.ts'
import { createSecondFactor } from './mfa/second-factor.ts'
import { createSignInTickets } from './mfa/tickets.ts'
import { createTotps } from './mfa/totp.ts'
import { addProofToArtifacts } from './oidc/added-proofs.ts'
import { strikeFactorOfArtifacts } from './oidc/struck-factors.ts'
import type { Resources } from './resources.ts'
import type { ApiSessions } from './sessions/api-sessions.ts'
import { strikeFactorOfSessions } from './sessions/endings.ts'
import { createRecentProofs } from './sessions/recent-proofs.ts'
import type { TenantServices } from './tenant-services.ts'
import { lockUser } from './users/administration.ts'
import { mustAdminister } from './users/admins.ts'
import { strikeFactorOfUser } from './users/factor-strikes.ts'
import { holdForActor } from './users/hold-user.ts'

interface Below extends Foundation {
  readonly users: AuthenticationServices['users']
  readonly signIn: AuthenticationServices['signIn']
  readonly organizationSettings: TenantServices['organizationSettings']
  readonly apiSessions: ApiSessions
}

/** Makes these services. */
export const createFactorServices = (
  { database, secrets, now, randomBytes }: Resources,
  { change, limit, notify, users, signIn, organizationSettings, apiSessions }: Below,
  { issuer, mfaRequired }: Pick<Config, 'issuer' | 'mfaRequired'>,
) => {
  const authenticators = createAuthenticators({
    database,
    change,
    notify,
    strikes: [strikeFactorOfUser, strikeFactorOfSessions, strikeFactorOfArtifacts],
    mustAdminister,
    lockUser,
    forgetUser: users.forget,
    now,
  })
  const passkeys = createPasskeys({
    database,
    change,
    users,
    authenticators,
    holdForActor,
    notify,
    limit,
    issuer,
    productName: 'Authy2',
    policy: { residentKey: 'required', userVerification: 'required' },
    randomBytes,
    now,
  })
  const totps = createTotps({ database, change, secrets, limit, notify, holdForActor, issuerName: 'Authy2', randomBytes, now })
  const recoveryCodes = createRecoveryCodes({ database, change, secrets, notify, holdForActor, randomBytes })
  const makeBudget: MakeGuessBudget = limits => createGuessBudget({ ...limits, database, areTwoFactorsProven: true })
  const secondFactor = createSecondFactor({ database, change, limit, makeBudget, factors: { totp: totps, recovery_code: recoveryCodes } })
  const isRequiredBy = async (id: string) => (await organizationSettings.find(id))?.isMfaRequired ?? false
  const factorRequirement = createFactorRequirement({ database, setting: mfaRequired, isRequiredBy, now })
  const tickets = createSignInTickets({ database, change, randomBytes, now })
  const apiSignIn = createApiSignIn({ signIn, users, apiSessions, secondFactor, factorRequirement, tickets, now })
  const recentProofs = createRecentProofs({ database, change, tellProtocol: addProofToArtifacts, now })
  const reauthentication = createReauthentication({ signIn, secondFactor, recentProofs })
  return {
    authenticators,
    passkeys,
    totps,
    recoveryCodes,
    secondFactor,
    factorRequirement,
    apiSignIn,
    recentProofs,
    reauthentication,
  }
}

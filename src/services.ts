// The composition root: each service made once, in order of need.

import { apiKeyEvents } from './api-keys/api-key.ts'
import { createApiKeys } from './api-keys/api-keys.ts'
import { createAuditLog } from './audit/audit-log.ts'
import { createApiSignIn } from './authentication/api-sign-in.ts'
import { createAssignedPasswords } from './authentication/assigned-passwords.ts'
import { authenticationEvents } from './authentication/authentication.ts'
import { createPasswords } from './authentication/password.ts'
import { createReauthentication } from './authentication/reauthentication.ts'
import { createSignIn } from './authentication/sign-in.ts'
import { createSignUp } from './authentication/sign-up.ts'
import { createChallenges } from './challenges/challenges.ts'
import { createClientAdministration } from './clients/administration.ts'
import { clientBelongings } from './clients/belongings.ts'
import { clientEvents } from './clients/client.ts'
import { createClients } from './clients/clients.ts'
import { createResourceServers } from './clients/resource-servers.ts'
import type { Config } from './config.ts'
import { createMails } from './mails/mails.ts'
import { mfaEvents } from './mfa/authenticator.ts'
import { createAuthenticators } from './mfa/authenticators.ts'
import { createFactorNotices } from './mfa/notices.ts'
import { createRecoveryCodes } from './mfa/recovery-codes.ts'
import { createFactorRequirement } from './mfa/requirement.ts'
import { createSecondFactor } from './mfa/second-factor.ts'
import { createSignInTickets } from './mfa/tickets.ts'
import { createTotps } from './mfa/totp.ts'
import { endArtifactsOfSession, endArtifactsOfUser, strikeFactorOfArtifacts } from './oidc/endings.ts'
import { interactionEvents } from './oidc/interaction.ts'
import { createSigningKeys, signingKeyEvents } from './oidc/signing-keys.ts'
import { createMembers } from './organizations/members.ts'
import { organizationEvents } from './organizations/organization.ts'
import { createOrganizations, lockOrganization } from './organizations/organizations.ts'
import { createChange } from './platform/data/change.ts'
import { createOnce } from './platform/http/idempotency.ts'
import { createLimits } from './platform/http/limit.ts'
import { createLists } from './platform/http/list.ts'
import { createQueue } from './platform/jobs/queue.ts'
import type { Resources } from './resources.ts'
import { createApiSessions } from './sessions/api-sessions.ts'
import { endSessionsOfUser, strikeFactorOfSessions } from './sessions/endings.ts'
import { createRecentProofs } from './sessions/recent-proofs.ts'
import { sessionEvents } from './sessions/session.ts'
import { createSessions } from './sessions/sessions.ts'
import { createUserAdministration } from './users/administration.ts'
import { createEndAccess } from './users/end-access.ts'
import { userEvents } from './users/user.ts'
import { createUsers } from './users/users.ts'

/** The services of the system. */
export type Services = ReturnType<typeof createServices>

/** Makes them over what is open; of the settings each is handed only what it needs. */
export const createServices = ({ database, redis, secrets, now, randomBytes, newId }: Resources, { issuer, mfaRequired }: Config) => {
  const events = {
    ...userEvents,
    ...authenticationEvents,
    ...organizationEvents,
    ...clientEvents,
    ...signingKeyEvents,
    ...interactionEvents,
    ...sessionEvents,
    ...mfaEvents,
    ...apiKeyEvents,
  }
  const change = createChange({ database, events })
  const limit = createLimits({ database, redis })
  const queue = createQueue({ database, secrets, newId })
  const mails = createMails({ queue })
  const challenges = createChallenges({ database, secrets, randomBytes, newId, now })
  const users = createUsers({ database, change, now })
  const passwords = createPasswords({ randomBytes })
  const endAccess = createEndAccess({ now, endings: [endSessionsOfUser, endArtifactsOfUser] })
  const signIn = createSignIn({ database, change, users, passwords, limit, endAccess, now })
  const assignedPasswords = createAssignedPasswords({ users, passwords, signIn })
  const signUp = createSignUp({ users, passwords, signIn, limit })
  const organizations = createOrganizations({ database, change, now, randomBytes, belongings: clientBelongings })
  const members = createMembers({ database, change, lock: lockOrganization })
  const userAdministration = createUserAdministration({ database, change, now, forget: users.forget, endAccess, guardRemoval: members.guardRemoval })
  const clients = createClients({ database, change, secrets, now, randomBytes })
  const clientAdministration = createClientAdministration({ database, change, secrets, now, randomBytes, forget: clients.forget })
  const resourceServers = createResourceServers({ database, change, now })
  const sessions = createSessions({ database, newId })
  const apiSessions = createApiSessions({ database, change, randomBytes, newId, now, endBrowserSession: endArtifactsOfSession })
  const apiKeys = createApiKeys({ database, change, randomBytes, now })
  const notify = createFactorNotices({ mails, issuer, now })
  const totps = createTotps({ database, change, secrets, limit, notify, issuerName: 'Authy2', randomBytes, now })
  const recoveryCodes = createRecoveryCodes({ database, change, secrets, randomBytes })
  const authenticators = createAuthenticators({ database, change, notify, strikes: [strikeFactorOfSessions, strikeFactorOfArtifacts], now })
  const secondFactor = createSecondFactor({ database, change, limit, factors: { totp: totps, recovery_code: recoveryCodes } })
  const factorRequirement = createFactorRequirement({ database, setting: mfaRequired, now })
  const tickets = createSignInTickets({ database, change, randomBytes, now })
  const apiSignIn = createApiSignIn({ signIn, users, apiSessions, secondFactor, factorRequirement, tickets, now })
  const recentProofs = createRecentProofs({ database, change, now })
  const reauthentication = createReauthentication({ signIn, secondFactor, recentProofs })
  const signingKeys = createSigningKeys({ database, change, secrets, now })
  const auditLog = createAuditLog({ database })
  return {
    change,
    limit,
    queue,
    mails,
    challenges,
    users,
    userAdministration,
    endAccess,
    passwords,
    signIn,
    signUp,
    assignedPasswords,
    organizations,
    members,
    clients,
    clientAdministration,
    resourceServers,
    sessions,
    apiSessions,
    apiKeys,
    totps,
    recoveryCodes,
    authenticators,
    secondFactor,
    factorRequirement,
    apiSignIn,
    recentProofs,
    reauthentication,
    signingKeys,
    auditLog,
    lists: createLists(secrets),
    once: createOnce({ database, secrets }),
  }
}

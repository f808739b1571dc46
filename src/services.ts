// The composition root: each service made once, in order of need.

import { apiKeyEvents } from './api-keys/api-key.ts'
import { createApiKeys } from './api-keys/api-keys.ts'
import { createAuditLog } from './audit/audit-log.ts'
import { createAcceptProof } from './authentication/accept-proof.ts'
import { createAssignedPasswords } from './authentication/assigned-passwords.ts'
import { authenticationEvents } from './authentication/authentication.ts'
import { createEmailCode } from './authentication/email-code.ts'
import { createEmailVerification } from './authentication/email-verification.ts'
import { createPasswords } from './authentication/password.ts'
import { createProofs } from './authentication/proofs.ts'
import { createProvenSignUp } from './authentication/proven-sign-up.ts'
import { createRecovery } from './authentication/recovery.ts'
import { createErasePasswords, createReplacePassword } from './authentication/replace-password.ts'
import { createSignIn } from './authentication/sign-in.ts'
import { createSignUp } from './authentication/sign-up.ts'
import { createChallenges } from './challenges/challenges.ts'
import { createClientAdministration } from './clients/administration.ts'
import { clientBelongings } from './clients/belongings.ts'
import { clientEvents } from './clients/client.ts'
import { createClients } from './clients/clients.ts'
import { createResourceServers } from './clients/resource-servers.ts'
import { createMails } from './mails/mails.ts'
import { endArtifactsOfSession, endArtifactsOfUser } from './oidc/endings.ts'
import { interactionEvents } from './oidc/interaction.ts'
import { createSigningKeys, signingKeyEvents } from './oidc/signing-keys.ts'
import { createMembers } from './organizations/members.ts'
import { organizationEvents } from './organizations/organization.ts'
import { createOrganizations, lockOrganization } from './organizations/organizations.ts'
import { createChange } from './platform/data/change.ts'
import { createOnce } from './platform/http/idempotency.ts'
import { createLimits } from './platform/http/limit.ts'
import { createLists } from './platform/http/list.ts'
import { createJobAdministration, jobEvents } from './platform/jobs/administration.ts'
import { createQueue } from './platform/jobs/queue.ts'
import type { Resources } from './resources.ts'
import { createApiSessions } from './sessions/api-sessions.ts'
import { endSessionsOfUser } from './sessions/endings.ts'
import { sessionEvents } from './sessions/session.ts'
import { createSessions } from './sessions/sessions.ts'
import { createUserAdministration } from './users/administration.ts'
import { createEndAccess } from './users/end-access.ts'
import { createProveEmail } from './users/prove-email.ts'
import { userEvents } from './users/user.ts'
import { createUsers } from './users/users.ts'

/** The services of the system. */
export type Services = ReturnType<typeof createServices>

/** Makes them over what is open. */
export const createServices = ({ database, redis, log, mailer, secrets, now, randomBytes, newId }: Resources) => {
  const events = {
    ...userEvents,
    ...authenticationEvents,
    ...organizationEvents,
    ...clientEvents,
    ...signingKeyEvents,
    ...interactionEvents,
    ...sessionEvents,
    ...apiKeyEvents,
    ...jobEvents,
  }
  const change = createChange({ database, events })
  const limit = createLimits({ database, redis })
  const queue = createQueue({ database, secrets, newId })
  const mails = createMails({ queue })
  const challenges = createChallenges({ database, secrets, randomBytes, newId, now })
  const users = createUsers({ database, change, now })
  const passwords = createPasswords({ randomBytes })
  const endAccess = createEndAccess({ now, endings: [endSessionsOfUser, endArtifactsOfUser] })
  const replacePassword = createReplacePassword({ endAccess, now })
  const signIn = createSignIn({ database, change, users, passwords, limit, replacePassword })
  const assignedPasswords = createAssignedPasswords({ users, passwords, signIn })
  const proofs = createProofs({ database, challenges, queue, limit, log, isPossible: mailer !== undefined })
  // Whoever keeps something that signs a person in names here how it is erased.
  const erasures = [endAccess, createErasePasswords({ now })]
  const acceptProof = createAcceptProof({ proveEmail: createProveEmail({ now }), challenges, erasures })
  const signUp = createSignUp({ users, passwords, signIn, proofs, limit })
  const provenSignUp = createProvenSignUp({ proofs, users, passwords, change, acceptProof, replacePassword })
  const recovery = createRecovery({ challenges, users, passwords, change, mails, acceptProof, replacePassword, now })
  const emailVerification = createEmailVerification({ database, challenges, users, change, acceptProof })
  const emailCode = createEmailCode({ proofs, users, change, acceptProof })
  const organizations = createOrganizations({ database, change, now, randomBytes, belongings: clientBelongings })
  const members = createMembers({ database, change, lock: lockOrganization })
  const userAdministration = createUserAdministration({ database, change, now, forget: users.forget, endAccess, guardRemoval: members.guardRemoval })
  const clients = createClients({ database, change, secrets, now, randomBytes })
  const clientAdministration = createClientAdministration({ database, change, secrets, now, randomBytes, forget: clients.forget })
  const resourceServers = createResourceServers({ database, change, now })
  const sessions = createSessions({ database, newId })
  const apiSessions = createApiSessions({ database, change, randomBytes, newId, now, endBrowserSession: endArtifactsOfSession })
  const apiKeys = createApiKeys({ database, change, randomBytes, now })
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
    proofs,
    acceptProof,
    provenSignUp,
    recovery,
    emailVerification,
    emailCode,
    jobAdministration: createJobAdministration({ database, change }),
    assignedPasswords,
    organizations,
    members,
    clients,
    clientAdministration,
    resourceServers,
    sessions,
    apiSessions,
    apiKeys,
    signingKeys,
    auditLog,
    lists: createLists(secrets),
    once: createOnce({ database, secrets }),
  }
}

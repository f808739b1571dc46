// The composition root: each service made once, in order of need.

import { fileURLToPath } from 'node:url'
import { organizationPermissions } from './api/permissions.ts'
import { refusalEvents } from './api/refusals.ts'
import { apiKeyEvents } from './api-keys/api-key.ts'
import { createApiKeys } from './api-keys/api-keys.ts'
import { createAudit } from './audit/audit.ts'
import { createAcceptProof } from './authentication/accept-proof.ts'
import { createApiSignIn } from './authentication/api-sign-in.ts'
import { createAssignedPasswords } from './authentication/assigned-passwords.ts'
import { authenticationEvents } from './authentication/authentication.ts'
import { createEmailCode } from './authentication/email-code.ts'
import { createEmailVerification } from './authentication/email-verification.ts'
import { createImportedPasswords } from './authentication/imported-passwords.ts'
import { createPasswords } from './authentication/password.ts'
import { createProofs } from './authentication/proofs.ts'
import { createProvenSignUp } from './authentication/proven-sign-up.ts'
import { createReauthentication } from './authentication/reauthentication.ts'
import { createRecovery } from './authentication/recovery.ts'
import { createErasePasswords, createReplacePassword } from './authentication/replace-password.ts'
import { createSignIn } from './authentication/sign-in.ts'
import { createSignUp } from './authentication/sign-up.ts'
import { createVerifyStrength } from './authentication/strength.ts'
import { createChallenges } from './challenges/challenges.ts'
import { createClientAdministration } from './clients/administration.ts'
import { clientBelongings } from './clients/belongings.ts'
import { createFindLook } from './clients/branding.ts'
import { clientEvents } from './clients/client.ts'
import { createClients } from './clients/clients.ts'
import { createResourceServers } from './clients/resource-servers.ts'
import { createFindSignUpRule } from './clients/sign-up-rule.ts'
import type { Config } from './config.ts'
import { maxImageBytes } from './images/image.ts'
import { createImages } from './images/images.ts'
import { createMails } from './mails/mails.ts'
import { createNotices } from './mails/notices.ts'
import { mfaEvents } from './mfa/authenticator.ts'
import { createAuthenticators } from './mfa/authenticators.ts'
import { createEraseFactors } from './mfa/erase.ts'
import { createPasskeys } from './mfa/passkeys.ts'
import { createRecoveryCodes } from './mfa/recovery-codes.ts'
import { createFactorRequirement } from './mfa/requirement.ts'
import { createSecondFactor } from './mfa/second-factor.ts'
import { createSignInTickets } from './mfa/tickets.ts'
import { createTotps } from './mfa/totp.ts'
import { addProofToArtifacts } from './oidc/added-proofs.ts'
import { consentEvents, createConsents } from './oidc/consents.ts'
import { endArtifactsOfSession, endArtifactsOfUser, strikeFactorOfArtifacts } from './oidc/endings.ts'
import { interactionEvents } from './oidc/interaction.ts'
import { createSigningKeys, signingKeyEvents } from './oidc/signing-keys.ts'
import { createMustHoldRoles } from './organizations/holding.ts'
import { invitationEvents } from './organizations/invitation.ts'
import { createInvitations } from './organizations/invitations.ts'
import { createMembers } from './organizations/members.ts'
import { organizationEvents } from './organizations/organization.ts'
import { createOrganizations, lockOrganization } from './organizations/organizations.ts'
import { roleEvents } from './organizations/role.ts'
import { createRoles } from './organizations/roles.ts'
import { createOrganizationSettings } from './organizations/settings.ts'
import { createChange } from './platform/data/change.ts'
import { createOnce } from './platform/http/idempotency.ts'
import { createLimits } from './platform/http/limit.ts'
import { createLists } from './platform/http/list.ts'
import { createOutboundFetch } from './platform/http/outbound.ts'
import { createJobAdministration, jobEvents } from './platform/jobs/administration.ts'
import { createQueue } from './platform/jobs/queue.ts'
import { createLanguages } from './platform/languages.ts'
import { createUuids } from './platform/uuid.ts'
import type { Resources } from './resources.ts'
import { createApiSessions } from './sessions/api-sessions.ts'
import { createDevices, eraseDevices } from './sessions/devices.ts'
import { endSessionsOfUser, strikeFactorOfSessions } from './sessions/endings.ts'
import { createRecentProofs } from './sessions/recent-proofs.ts'
import { sessionEvents } from './sessions/session.ts'
import { createSessions } from './sessions/sessions.ts'
import { createAccountDeletion } from './users/account-deletion.ts'
import { createUserAdministration, lockUser } from './users/administration.ts'
import { mustAdminister } from './users/admins.ts'
import { createEmailChanges } from './users/email-change.ts'
import { createEndAccess } from './users/end-access.ts'
import { createEvictUnproven } from './users/evict-unproven.ts'
import { createUserImports } from './users/imports.ts'
import { createCollectPersonalData } from './users/personal-data.ts'
import { createProveEmail } from './users/prove-email.ts'
import { userEvents } from './users/user.ts'
import { createUsers } from './users/users.ts'

/** The services of the system. */
export type Services = ReturnType<typeof createServices>

const languagesDirectory = fileURLToPath(new URL('../views/languages', import.meta.url))

/** Makes them over what is open; of the settings each is handed only what it needs. */
export const createServices = (
  { database, redis, log, mailer, secrets, now, randomBytes }: Resources,
  { environment, issuer, passwordMinLength, mfaRequired }: Config,
) => {
  const events = {
    ...userEvents,
    ...authenticationEvents,
    ...organizationEvents,
    ...invitationEvents,
    ...roleEvents,
    ...clientEvents,
    ...signingKeyEvents,
    ...interactionEvents,
    ...consentEvents,
    ...refusalEvents,
    ...sessionEvents,
    ...apiKeyEvents,
    ...mfaEvents,
    ...jobEvents,
  }
  const uuids = createUuids(randomBytes)
  const newUuid = () => uuids(now())
  const change = createChange({ database, events, secrets, now, newUuid })
  const limit = createLimits({ database, redis })
  const queue = createQueue({ database, secrets, newId: newUuid })
  const mails = createMails({ queue })
  const notify = createNotices({ mails, isPossible: mailer !== undefined, issuer, now })
  const challenges = createChallenges({ database, secrets, randomBytes, newId: newUuid, now })
  const users = createUsers({ database, change, now })
  const passwords = createPasswords({ randomBytes })
  const endAccess = createEndAccess({ now, endings: [endSessionsOfUser, endArtifactsOfUser] })
  const replacePassword = createReplacePassword({ endAccess, notify, now })
  const signIn = createSignIn({ database, change, users, passwords, limit, replacePassword })
  const verifyStrength = createVerifyStrength({ minLength: passwordMinLength, host: new URL(issuer).hostname })
  const assignedPasswords = createAssignedPasswords({ users, passwords, signIn, verifyStrength, mustAdminister, lockUser })
  const proofs = createProofs({ database, challenges, queue, limit, log, isPossible: mailer !== undefined })
  // Whoever keeps something that signs a person in names here how it is erased.
  const erasures = [endAccess, createErasePasswords({ now }), createEraseFactors({ now }), eraseDevices]
  const acceptProof = createAcceptProof({ proveEmail: createProveEmail({ now }), challenges, erasures })
  const signUp = createSignUp({ users, passwords, signIn, proofs, limit, verifyStrength })
  const provenSignUp = createProvenSignUp({ limit, verifyStrength, proofs, users, passwords, change, acceptProof, replacePassword })
  const recovery = createRecovery({ verifyStrength, challenges, users, passwords, change, acceptProof, replacePassword })
  const emailVerification = createEmailVerification({ database, challenges, users, change, acceptProof })
  const emailCode = createEmailCode({ proofs, users, change, acceptProof })
  const authenticators = createAuthenticators({
    database,
    change,
    notify,
    strikes: [strikeFactorOfSessions, strikeFactorOfArtifacts],
    mustAdminister,
    lockUser,
    now,
  })
  const passkeys = createPasskeys({
    database,
    change,
    users,
    authenticators,
    notify,
    limit,
    issuer,
    productName: 'Authy2',
    policy: { residentKey: 'required', userVerification: 'required' },
    randomBytes,
    now,
  })
  const organizationSettings = createOrganizationSettings({ database, change, now })
  const organizations = createOrganizations({
    database,
    change,
    now,
    randomBytes,
    belongings: clientBelongings,
    forgetSettings: organizationSettings.forget,
  })
  const roleNeeds = {
    database,
    change,
    lock: lockOrganization,
    permissionsOf: organizationPermissions,
    mustHoldRoles: createMustHoldRoles(organizationPermissions),
  }
  const members = createMembers(roleNeeds)
  const roles = createRoles(roleNeeds)
  const invitations = createInvitations({ ...roleNeeds, mails, limit, randomBytes, now, issuer })
  const userAdministration = createUserAdministration({ database, change, now, forget: users.forget, endAccess, guardRemoval: members.guardRemoval })
  const userImports = createUserImports({ database, change, passwords: createImportedPasswords({ now, newUuid }), log, now, newUuid })
  const fetchImages = createOutboundFetch({ isLoopbackAllowed: environment !== 'production', maxBytes: maxImageBytes })
  const images = createImages({ database, queue, limit, log, now, fetch: fetchImages })
  const clients = createClients({ database, change, secrets, now, randomBytes, images })
  const clientAdministration = createClientAdministration({ database, change, secrets, now, randomBytes, images, forget: clients.forget })
  const resourceServers = createResourceServers({ database, change, now })
  const devices = createDevices({ notify })
  const sessions = createSessions({ database, devices, newId: newUuid })
  const apiSessions = createApiSessions({ database, change, devices, randomBytes, newId: newUuid, now, endBrowserSession: endArtifactsOfSession })
  const apiKeys = createApiKeys({ database, change, randomBytes, now })
  const totps = createTotps({ database, change, secrets, limit, notify, issuerName: 'Authy2', randomBytes, now })
  const recoveryCodes = createRecoveryCodes({ database, change, secrets, notify, randomBytes })
  const secondFactor = createSecondFactor({ database, change, limit, factors: { totp: totps, recovery_code: recoveryCodes } })
  const isRequiredBy = async (id: string) => (await organizationSettings.find(id))?.isMfaRequired ?? false
  const factorRequirement = createFactorRequirement({ database, setting: mfaRequired, isRequiredBy, now })
  const tickets = createSignInTickets({ database, change, randomBytes, now })
  const apiSignIn = createApiSignIn({ signIn, users, apiSessions, secondFactor, factorRequirement, tickets, now })
  const recentProofs = createRecentProofs({ database, change, tellProtocol: addProofToArtifacts, now })
  const reauthentication = createReauthentication({ signIn, secondFactor, recentProofs })
  const signingKeys = createSigningKeys({ database, change, secrets, now })
  const audit = createAudit({ database, secrets, log, now, newUuid })
  const consents = createConsents({ database, change })
  const evictUnproven = createEvictUnproven({ endAccess, now })
  const { forget } = users
  const emailChanges = createEmailChanges({ change, challenges, mails, notify, limit, endAccess, evictUnproven, forget, issuer, now })
  const accountDeletion = createAccountDeletion({ userAdministration, change, challenges, notify, evictUnproven, forget, issuer })
  const collectPersonalData = createCollectPersonalData({ userAdministration, members, apiSessions, authenticators, auditLog: audit.auditLog, consents, now })
  return {
    change,
    limit,
    queue,
    mails,
    notify,
    challenges,
    users,
    userAdministration,
    userImports,
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
    passkeys,
    organizations,
    members,
    roles,
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
    ...audit,
    consents,
    invitations,
    emailChanges,
    accountDeletion,
    collectPersonalData,
    organizationSettings,
    images,
    findLook: createFindLook({ clients, organizationSettings, images }),
    findSignUpRule: createFindSignUpRule({ clients, organizationSettings }),
    languages: createLanguages({ directory: languagesDirectory }),
    lists: createLists(secrets),
    once: createOnce({ database, secrets }),
  }
}

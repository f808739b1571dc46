// The composition root: each service made once, in order of need.

import { organizationPermissions } from './api/permissions.ts'
import { refusalEvents } from './api/refusals.ts'
import { apiKeyEvents } from './api-keys/api-key.ts'
import { createApiKeys } from './api-keys/api-keys.ts'
import { createAudit } from './audit/audit.ts'
import { createAssignedPasswords } from './authentication/assigned-passwords.ts'
import { authenticationEvents } from './authentication/authentication.ts'
import { createImportedPasswords } from './authentication/imported-passwords.ts'
import { createPasswords } from './authentication/password.ts'
import { createSignIn } from './authentication/sign-in.ts'
import { createSignUp } from './authentication/sign-up.ts'
import { createVerifyStrength } from './authentication/strength.ts'
import { createClientAdministration } from './clients/administration.ts'
import { clientBelongings } from './clients/belongings.ts'
import { clientEvents } from './clients/client.ts'
import { createClients } from './clients/clients.ts'
import { createResourceServers } from './clients/resource-servers.ts'
import type { Config } from './config.ts'
import { endArtifactsOfSession, endArtifactsOfUser } from './oidc/endings.ts'
import { interactionEvents } from './oidc/interaction.ts'
import { createSigningKeys, signingKeyEvents } from './oidc/signing-keys.ts'
import { createMustHoldRoles } from './organizations/holding.ts'
import { createMembers } from './organizations/members.ts'
import { organizationEvents } from './organizations/organization.ts'
import { createOrganizations, lockOrganization } from './organizations/organizations.ts'
import { roleEvents } from './organizations/role.ts'
import { createRoles } from './organizations/roles.ts'
import { createChange } from './platform/data/change.ts'
import { createOnce } from './platform/http/idempotency.ts'
import { createLimits } from './platform/http/limit.ts'
import { createLists } from './platform/http/list.ts'
import { createUuids } from './platform/uuid.ts'
import type { Resources } from './resources.ts'
import { createApiSessions } from './sessions/api-sessions.ts'
import { endSessionsOfUser } from './sessions/endings.ts'
import { sessionEvents } from './sessions/session.ts'
import { createSessions } from './sessions/sessions.ts'
import { createUserAdministration, lockUser } from './users/administration.ts'
import { mustAdminister } from './users/admins.ts'
import { createEndAccess } from './users/end-access.ts'
import { createUserImports } from './users/imports.ts'
import { userEvents } from './users/user.ts'
import { createUsers } from './users/users.ts'

/** The services of the system. */
export type Services = ReturnType<typeof createServices>

/** Makes them over what is open; of the settings each is handed only what it needs. */
export const createServices = ({ database, redis, secrets, log, now, randomBytes }: Resources, { issuer, passwordMinLength }: Config) => {
  const events = {
    ...userEvents,
    ...authenticationEvents,
    ...organizationEvents,
    ...roleEvents,
    ...clientEvents,
    ...signingKeyEvents,
    ...interactionEvents,
    ...refusalEvents,
    ...sessionEvents,
    ...apiKeyEvents,
  }
  const uuids = createUuids(randomBytes)
  const newUuid = () => uuids(now())
  const change = createChange({ database, events, secrets, now, newUuid })
  const limit = createLimits({ database, redis })
  const users = createUsers({ database, change, now })
  const passwords = createPasswords({ randomBytes })
  const endAccess = createEndAccess({ now, endings: [endSessionsOfUser, endArtifactsOfUser] })
  const signIn = createSignIn({ database, change, users, passwords, limit, endAccess, now })
  const verifyStrength = createVerifyStrength({ minLength: passwordMinLength, host: new URL(issuer).hostname })
  const assignedPasswords = createAssignedPasswords({ users, passwords, signIn, verifyStrength, mustAdminister, lockUser })
  const signUp = createSignUp({ users, passwords, signIn, limit, verifyStrength })
  const organizations = createOrganizations({ database, change, now, randomBytes, belongings: clientBelongings })
  const roleNeeds = {
    database,
    change,
    lock: lockOrganization,
    permissionsOf: organizationPermissions,
    mustHoldRoles: createMustHoldRoles(organizationPermissions),
  }
  const members = createMembers(roleNeeds)
  const roles = createRoles(roleNeeds)
  const userAdministration = createUserAdministration({ database, change, now, forget: users.forget, endAccess, guardRemoval: members.guardRemoval })
  const userImports = createUserImports({ database, change, passwords: createImportedPasswords({ now, newUuid }), log, now, newUuid })
  const clients = createClients({ database, change, secrets, now, randomBytes })
  const clientAdministration = createClientAdministration({ database, change, secrets, now, randomBytes, forget: clients.forget })
  const resourceServers = createResourceServers({ database, change, now })
  const sessions = createSessions({ database, newId: newUuid })
  const apiSessions = createApiSessions({ database, change, randomBytes, newId: newUuid, now, endBrowserSession: endArtifactsOfSession })
  const apiKeys = createApiKeys({ database, change, randomBytes, now })
  const signingKeys = createSigningKeys({ database, change, secrets, now })
  return {
    change,
    limit,
    users,
    userAdministration,
    userImports,
    endAccess,
    passwords,
    signIn,
    signUp,
    assignedPasswords,
    organizations,
    members,
    roles,
    clients,
    clientAdministration,
    resourceServers,
    sessions,
    apiSessions,
    apiKeys,
    signingKeys,
    ...createAudit({ database, secrets, log, now, newUuid }),
    lists: createLists(secrets),
    once: createOnce({ database, secrets }),
  }
}

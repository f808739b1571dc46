// The composition root: each service made once, in order of need.

import { fileURLToPath } from 'node:url'
import { apiKeyEvents } from './api-keys/api-key.ts'
import { createApiKeys } from './api-keys/api-keys.ts'
import { createAuditLog } from './audit/audit-log.ts'
import { createAssignedPasswords } from './authentication/assigned-passwords.ts'
import { authenticationEvents } from './authentication/authentication.ts'
import { createPasswords } from './authentication/password.ts'
import { createSignIn } from './authentication/sign-in.ts'
import { createSignUp } from './authentication/sign-up.ts'
import { createClientAdministration } from './clients/administration.ts'
import { clientBelongings } from './clients/belongings.ts'
import { createFindLook } from './clients/branding.ts'
import { clientEvents } from './clients/client.ts'
import { createClients } from './clients/clients.ts'
import { createResourceServers } from './clients/resource-servers.ts'
import { endArtifactsOfSession, endArtifactsOfUser } from './oidc/endings.ts'
import { interactionEvents } from './oidc/interaction.ts'
import { createSigningKeys, signingKeyEvents } from './oidc/signing-keys.ts'
import { createMembers } from './organizations/members.ts'
import { organizationEvents } from './organizations/organization.ts'
import { createOrganizations, lockOrganization } from './organizations/organizations.ts'
import { createOrganizationSettings } from './organizations/settings.ts'
import { createChange } from './platform/data/change.ts'
import { createOnce } from './platform/http/idempotency.ts'
import { createLimits } from './platform/http/limit.ts'
import { createLists } from './platform/http/list.ts'
import { createLanguages } from './platform/languages.ts'
import type { Resources } from './resources.ts'
import { createApiSessions } from './sessions/api-sessions.ts'
import { endSessionsOfUser } from './sessions/endings.ts'
import { sessionEvents } from './sessions/session.ts'
import { createSessions } from './sessions/sessions.ts'
import { createUserAdministration } from './users/administration.ts'
import { createEndAccess } from './users/end-access.ts'
import { userEvents } from './users/user.ts'
import { createUsers } from './users/users.ts'

/** The services of the system. */
export type Services = ReturnType<typeof createServices>

const languagesDirectory = fileURLToPath(new URL('../views/languages', import.meta.url))

/** Makes them over what is open. */
export const createServices = ({ database, redis, secrets, now, randomBytes, newId }: Resources) => {
  const events = {
    ...userEvents,
    ...authenticationEvents,
    ...organizationEvents,
    ...clientEvents,
    ...signingKeyEvents,
    ...interactionEvents,
    ...sessionEvents,
    ...apiKeyEvents,
  }
  const change = createChange({ database, events })
  const limit = createLimits({ database, redis })
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
  const organizationSettings = createOrganizationSettings({ database, change, now })
  const sessions = createSessions({ database, newId })
  const apiSessions = createApiSessions({ database, change, randomBytes, newId, now, endBrowserSession: endArtifactsOfSession })
  const apiKeys = createApiKeys({ database, change, randomBytes, now })
  const signingKeys = createSigningKeys({ database, change, secrets, now })
  const auditLog = createAuditLog({ database })
  return {
    change,
    limit,
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
    signingKeys,
    auditLog,
    organizationSettings,
    findLook: createFindLook({ clients, organizationSettings }),
    languages: createLanguages({ directory: languagesDirectory }),
    lists: createLists(secrets),
    once: createOnce({ database, secrets }),
  }
}

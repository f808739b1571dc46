// The composition root: each service made once, in order of need.
import { authenticationEvents } from './authentication/authentication.ts'
import { createPasswords } from './authentication/password.ts'
import { createSignIn } from './authentication/sign-in.ts'
import { clientEvents } from './clients/client.ts'
import { createClients } from './clients/clients.ts'
import { createResourceServers } from './clients/resource-servers.ts'
import { interactionEvents } from './oidc/interaction.ts'
import { createSigningKeys, signingKeyEvents } from './oidc/signing-keys.ts'
import { organizationEvents } from './organizations/organization.ts'
import { createOrganizations } from './organizations/organizations.ts'
import { createChange } from './platform/data/change.ts'
import { createLimits } from './platform/http/limit.ts'
import type { Resources } from './resources.ts'
import { createSessions } from './sessions/sessions.ts'
import { userEvents } from './users/user.ts'
import { createUsers } from './users/users.ts'

/** The services of the system. */
export type Services = ReturnType<typeof createServices>

/** Makes them over what is open. */
export const createServices = ({ database, redis, secrets, now, randomBytes, newId }: Resources) => {
  const events = { ...userEvents, ...authenticationEvents, ...organizationEvents, ...clientEvents, ...signingKeyEvents, ...interactionEvents }
  const change = createChange({ database, events })
  const limit = createLimits({ database, redis })
  const users = createUsers({ database, change, now })
  const passwords = createPasswords({ randomBytes })
  const signIn = createSignIn({ database, change, users, passwords, limit, now })
  const organizations = createOrganizations({ database, change })
  const clients = createClients({ database, change, secrets, now, randomBytes })
  const resourceServers = createResourceServers({ database, change, now })
  const sessions = createSessions({ database, newId })
  const signingKeys = createSigningKeys({ database, change, secrets, now })
  return { change, limit, users, passwords, signIn, organizations, clients, resourceServers, sessions, signingKeys }
}

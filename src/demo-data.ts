// The demo data of development: two organizations, their people, their clients. Seeding twice changes nothing.
import type { NewClient } from './clients/client.ts'
import { accessTokenAlgorithms } from './clients/resource-server.ts'
import type { OrganizationId, OrganizationRole } from './organizations/organization.ts'
import { systemActor } from './platform/actor.ts'
import type { Services } from './services.ts'
import type { UserId } from './users/user.ts'

/** The people of the demo, as the start text shows them. */
export const demoUsers = [
  { email: 'admin@authy2.local', password: 'AdminPass123!', name: 'Ada Admin', isAdmin: true, memberships: {} },
  { email: 'alice@acme-corp.com', password: 'OwnerPass123!', name: 'Alice Owner', isAdmin: false, memberships: { 'acme-corp': 'owner' } },
  { email: 'carol@acme-corp.com', password: 'AdminPass123!', name: 'Carol Admin', isAdmin: false, memberships: { 'acme-corp': 'admin' } },
  { email: 'bob@acme-corp.com', password: 'UserPass123!', name: 'Bob Member', isAdmin: false, memberships: { 'acme-corp': 'member', globex: 'member' } },
  { email: 'hank@globex.example', password: 'OwnerPass123!', name: 'Hank Owner', isAdmin: false, memberships: { globex: 'owner' } },
] as const satisfies readonly { email: string; password: string; name: string; isAdmin: boolean; memberships: Readonly<Record<string, OrganizationRole>> }[]

/** The organizations of the demo. */
export const demoOrganizations = [
  { slug: 'acme-corp', name: 'Acme Corp' },
  { slug: 'globex', name: 'Globex' },
] as const

/** The clients of the demo, all Acme's. */
export const demoClients = [
  {
    clientId: 'acme-portal-001',
    secret: 'acme_secret_portal_2024',
    name: 'Acme Portal',
    isFirstParty: true,
    authenticationMethod: 'client_secret_basic',
    grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'],
    redirectUris: ['http://localhost:4000/callback', 'http://127.0.0.1:4000/callback'],
    postLogoutRedirectUris: ['http://localhost:4000/'],
  },
  {
    clientId: 'acme-spa-001',
    name: 'Acme Single-Page App',
    isFirstParty: true,
    authenticationMethod: 'none',
    grantTypes: ['authorization_code', 'refresh_token'],
    redirectUris: ['http://localhost:4001/callback'],
    metadata: { application_type: 'web' },
  },
  {
    clientId: 'acme-service-001',
    secret: 'acme_secret_service_2024',
    name: 'Acme Service',
    authenticationMethod: 'client_secret_basic',
    grantTypes: ['client_credentials'],
  },
] as const satisfies readonly NewClient[]

/** The APIs of the demo, which are the system's. */
export const demoResourceServers = accessTokenAlgorithms.map(signingAlgorithm => ({
  identifier: `http://localhost:4000/api/${signingAlgorithm.toLowerCase()}`,
  name: `Acme API (${signingAlgorithm})`,
  scopes: ['read', 'write'],
  tokenFormat: 'jwt' as const,
  signingAlgorithm,
  accessTokenTtlSeconds: 600,
  clientAccess: 'any' as const,
}))

/** Seeds what is missing. Answers whether anything was. */
export const seedDemoData = async (services: Services): Promise<boolean> => {
  if (await services.organizations.findBySlug(demoOrganizations[0].slug)) return false
  const ids = new Map<string, OrganizationId>()
  for (const organization of demoOrganizations) ids.set(organization.slug, (await services.organizations.create(systemActor, organization)).id)
  await Promise.all(demoUsers.map(user => seedUser(services, { user, ids })))
  const organizationId = ids.get('acme-corp')
  for (const client of demoClients) await services.clients.create(systemActor, { ...client, organizationId })
  for (const server of demoResourceServers) await services.resourceServers.create(systemActor, server)
  return true
}

const seedUser = async (
  { users, signIn, members: service }: Services,
  { user, ids }: { user: (typeof demoUsers)[number]; ids: ReadonlyMap<string, OrganizationId> },
) => {
  const { id } = await users.create(systemActor, { email: user.email, name: user.name, isAdmin: user.isAdmin, isEmailVerified: true })
  await signIn.setPassword(systemActor, { id, password: user.password })
  for (const [slug, role] of Object.entries(user.memberships)) await join({ service, organizationId: ids.get(slug), userId: id, role })
}

const join = async ({
  service,
  organizationId,
  userId,
  role,
}: {
  service: Services['members']
  organizationId?: OrganizationId
  userId: UserId
  role: OrganizationRole
}) => {
  if (organizationId) await service.add(systemActor, { organizationId, userId, role })
}

// How far a session reaches that an organization's provider began without being entitled to speak for its person's address: whoever runs that
// provider can begin one, so it opens the organization's own clients and resource servers, for nobody else's tokens.
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { Clients } from '../clients/clients.ts'
import type { ResourceServers } from '../clients/resource-servers.ts'
import type { AskedOrganizations } from './asked-organization.ts'

/** What is looked at. */
export interface ConfinementNeeds {
  readonly clients: Pick<Clients, 'find'>
  readonly resourceServers: Pick<ResourceServers, 'find'>
  readonly askedOrganizations: Pick<AskedOrganizations, 'find'>
}

/** Whether a request asks for more than its session is good for. Of a session that is good for all it costs nothing. */
export const isBeyondSession = async ({ clients, resourceServers, askedOrganizations }: ConfinementNeeds, ctx: KoaContextWithOIDC): Promise<boolean> => {
  const { session, client, resourceServers: asked } = ctx.oidc
  const organizationId = session?.confinedTo
  if (!session?.accountId || organizationId === undefined || !client) return false
  if ((await clients.find(client.clientId))?.organizationId !== organizationId) return true
  const of = await askedOrganizations.find(ctx)
  if (of.kind === 'one' && of.membership.organizationId !== organizationId) return true
  const servers = await Promise.all(Object.keys(asked ?? {}).map(identifier => resourceServers.find(identifier)))
  return servers.some(server => server?.organizationId !== organizationId)
}

// Whether a client may name a resource server of an organization: where it comes as a guest, only for a token that is for that organization.
//
// Decided: a client that nobody here made does not know our word `organization`. The resource that it names says which is meant: its requests
// are for that organization, and whoever is no member is refused (asked-organization.ts). What names another organization is refused here, and
// so is a token that is for another or for none, at its issue too: there the grant is known, whatever was asked before. A client that asks
// for itself is nobody's member.
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { Registration } from '../clients/client.ts'
import { nearnessOf, type ResourceServer } from '../clients/resource-server.ts'
import type { ResourceServers } from '../clients/resource-servers.ts'
import type { AskedOrganizations } from './asked-organization.ts'
import { isForItself } from './own-access.ts'
import { roleHolderOf } from './role-holder.ts'

interface Asking {
  readonly server: ResourceServer
  readonly registration: Registration | undefined
  readonly askedOrganizations: Pick<AskedOrganizations, 'find'>
}

/** Whether it may. Before somebody is signed in, and has chosen, a guest may ask: whom it acts for decides. */
export const isReachable = async (ctx: KoaContextWithOIDC, { server, registration, askedOrganizations }: Asking): Promise<boolean> => {
  const nearness = nearnessOf(server, registration)
  if (nearness !== 'guest') return nearness === 'neighbour'
  // A backchannel request is for no organization.
  if (ctx.oidc.route === 'backchannel_authentication') return false
  if (ctx.oidc.route === 'token') return !isForItself(ctx) && roleHolderOf(ctx)?.organizationId === server.organizationId
  const asked = await askedOrganizations.find(ctx)
  return asked.kind !== 'one' || asked.membership.organizationId === server.organizationId
}

/** The organization that a request is for by the resources it names: that of the first where the client is a guest. */
export const impliedOrganization = async (
  { oidc }: KoaContextWithOIDC,
  { registration, resourceServers }: { readonly registration: Registration | undefined; readonly resourceServers: Pick<ResourceServers, 'find'> },
): Promise<string | undefined> => {
  for (const identifier of [oidc.params?.resource ?? []].flat()) {
    const server = await resourceServers.find(String(identifier))
    if (server && nearnessOf(server, registration) === 'guest') return server.organizationId
  }
  return undefined
}

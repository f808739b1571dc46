// What a client asks a resource for that names no scope (RFC 6749 §3.3): all that the resource has, for the person to see and allow. MCP clients
// leave the scope to the server where the resource tells them none.
import type { KoaContextWithOIDC } from 'oidc-provider'
import { apiIdentifierOf } from '../platform/api-identifier.ts'

const asking = new Set(['authorization', 'pushed_authorization_request'])
const defaulted = new WeakSet<object>()

/** Puts the resource's scopes into a request without any; of our own management API nobody is given anything unasked. */
export const giveDefaultScope = (
  { oidc }: KoaContextWithOIDC,
  { identifier, scopes }: { readonly identifier: string; readonly scopes: readonly string[] },
): void => {
  const { params } = oidc
  if (!params || !asking.has(oidc.route) || identifier === apiIdentifierOf(oidc.issuer)) return
  if (params.authorization_details !== undefined || (params.scope !== undefined && !defaulted.has(params))) return
  defaulted.add(params)
  const before = typeof params.scope === 'string' ? params.scope.split(' ') : []
  params.scope = [...new Set([...before, ...scopes])].join(' ') || undefined
}

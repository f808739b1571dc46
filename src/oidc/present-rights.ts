// What a person's access token is worth now, told at introspection (RFC 7662 §2.2: the state of the token at the authorization server): the
// roles and permissions of its person in its organization, and of its scopes those that roles decide, as they are at this moment. What was
// taken away since it was issued is told no longer; what was not in the token does not come to it.
import type { AccessToken } from 'oidc-provider'
import type { ResourceServer } from '../clients/resource-server.ts'
import { heldScopesOf } from '../organizations/held-scopes.ts'
import type { TokenMembership } from '../organizations/memberships.ts'
import { twoFactors } from './acr.ts'
import { organizationClaims } from './token-organizations.ts'

interface Present {
  /** The person's, in the token's organization; absent: it is for none. */
  readonly membership: TokenMembership | undefined
  /** The resource server that the token is for. */
  readonly server: ResourceServer | undefined
}

/** Has the token say it; whatever is no access token of a person stays as it is. */
export const tellPresentRights = (token: AccessToken, { membership, server }: Present): void => {
  if (membership && token.extra?.org_id === membership.organizationId) token.extra = { ...token.extra, ...organizationClaims(membership) }
  if (!server?.requiresPermissions) return
  const isItsOwn = membership !== undefined && (server.organizationId === undefined || server.organizationId === membership.organizationId)
  const hasTwoFactors = token.extra?.acr === twoFactors
  const held = new Set(isItsOwn ? heldScopesOf(membership, { resource: server.identifier, scopes: server.scopes, hasTwoFactors }) : [])
  // Details are for whoever's role holds a scope there (src/oidc/authorization-details.ts).
  Object.assign(token, { scope: [...token.scopes].filter(scope => held.has(scope)).join(' '), ...(held.size > 0 ? {} : { rar: undefined }) })
}

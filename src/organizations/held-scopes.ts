// Which scopes of a resource server a person's role in an organization holds, asked anew at each issuing.
import type { Memberships, TokenMembership } from './memberships.ts'
import { resourceScopeOf } from './role.ts'

interface Held {
  /** The resource server's identifier. */
  readonly resource: string
  /** All its scopes, or those in question. */
  readonly scopes: readonly string[]
  /** Whether the person proved two factors: where the organization requires them, who did not holds nothing. */
  readonly hasTwoFactors: boolean
}

interface Asked extends Held {
  readonly userId: string
  readonly organizationId: string
}

/** Finds them; none for who is no member, and for an organization that is deleted. */
export type FindHeldScopes = (asked: Asked) => Promise<readonly string[]>

/** Makes the finder. */
export const createFindHeldScopes =
  ({ memberships }: { readonly memberships: Pick<Memberships, 'find'> }): FindHeldScopes =>
  async ({ userId, organizationId, ...held }) => {
    const membership = await memberships.find({ userId, organization: organizationId })
    return membership ? heldScopesOf(membership, held) : []
  }

/** Those of a membership. Owners and admins hold all scopes, members none, others what their role says. */
export const heldScopesOf = (
  { isMfaRequired, resourceScopes }: Pick<TokenMembership, 'isMfaRequired' | 'resourceScopes'>,
  { resource, scopes, hasTwoFactors }: Held,
): readonly string[] => {
  if (isMfaRequired && !hasTwoFactors) return []
  if (resourceScopes === 'all') return scopes
  const held = new Set(resourceScopes.map(resourceScopeOf).flatMap(pair => (pair.resource === resource ? [pair.scope] : [])))
  return scopes.filter(scope => held.has(scope))
}

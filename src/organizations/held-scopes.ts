// Which scopes of a resource server a person's role in an organization holds, asked anew at each issuing.
import { type Database, statement } from '../platform/data/database.ts'
import { resourceScopeOf } from './role.ts'

interface Asked {
  readonly userId: string
  readonly organizationId: string
  /** The resource server's identifier. */
  readonly resource: string
  /** All its scopes. */
  readonly scopes: readonly string[]
  /** Whether the person proved two factors: where the organization requires them, who did not holds nothing. */
  readonly hasTwoFactors: boolean
}

/** Finds them; none for who is no member, and for an organization that is deleted. */
export type FindHeldScopes = (asked: Asked) => Promise<readonly string[]>

const ofMember = statement(
  'held-scopes',
  `SELECT m.role, r.resource_scopes, o.is_mfa_required FROM organization_members m
   JOIN organizations o ON o.id = m.organization_id AND o.deleted_at IS NULL LEFT JOIN organization_roles r ON r.id = m.role_id
   WHERE m.organization_id = $1 AND m.user_id = $2`,
)

// Who may write the organization's roles and resource servers holds every scope, for they could give it to themselves.
const holdsAll = new Set(['owner', 'admin'])

/** Makes the finder. Owners and admins hold all scopes, members none, others what their role says. */
export const createFindHeldScopes =
  ({ database }: { readonly database: Database }): FindHeldScopes =>
  async ({ userId, organizationId, resource, scopes, hasTwoFactors }) => {
    const [row] = await database.run<{ role: string | null; resource_scopes: string[] | null; is_mfa_required: boolean }>(ofMember, [organizationId, userId])
    if (!row || (row.is_mfa_required && !hasTwoFactors)) return []
    if (holdsAll.has(row.role ?? '')) return scopes
    const held = new Set((row.resource_scopes ?? []).map(resourceScopeOf).flatMap(pair => (pair.resource === resource ? [pair.scope] : [])))
    return scopes.filter(scope => held.has(scope))
  }

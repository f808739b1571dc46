// The list of routes of the management API: every slice's operations, under /api/v1.
import { createApiKeyRoutes } from '../api-keys/routes.ts'
import { createAuditRoutes } from '../audit/routes.ts'
import { createAuthRoutes } from '../authentication/routes.ts'
import { createSecondFactorRoutes } from '../authentication/second-factor-routes.ts'
import { createClientRoutes } from '../clients/routes.ts'
import { createFactorAdministrationRoutes } from '../mfa/administration-routes.ts'
import { createFactorRoutes } from '../mfa/routes.ts'
import { createMemberRoutes } from '../organizations/member-routes.ts'
import { createOrganizationRoutes } from '../organizations/routes.ts'
import type { Route } from '../platform/http/route.ts'
import { createSessionRoutes } from '../sessions/routes.ts'
import { createUserRoutes } from '../users/routes.ts'
import { createMeRoutes } from './me.ts'
import { isPermission, permissions } from './permissions.ts'

type Needs = Parameters<typeof createAuthRoutes>[0] &
  Parameters<typeof createSessionRoutes>[0] &
  Parameters<typeof createMeRoutes>[0] &
  Parameters<typeof createSecondFactorRoutes>[0] &
  Parameters<typeof createFactorRoutes>[0] &
  Parameters<typeof createFactorAdministrationRoutes>[0] &
  Omit<Parameters<typeof createApiKeyRoutes>[0], 'permissions'> &
  Parameters<typeof createUserRoutes>[0] &
  Parameters<typeof createOrganizationRoutes>[0] &
  Parameters<typeof createMemberRoutes>[0] &
  Parameters<typeof createClientRoutes>[0] &
  Parameters<typeof createAuditRoutes>[0] & {
    /** Those of the protocol's entrance. */
    readonly protocolRoutes: readonly Route[]
  }

/** Where they are served. */
export const managementPrefix = '/api/v1'

/** Makes the list. Throws for a permission that the table does not know. A fixed path stands before one with a parameter. */
export const createManagementRoutes = (needs: Needs): readonly Route[] => {
  const [first, ...rest] = permissions
  if (first === undefined) throw new Error('the permission table is empty')
  const routes = [
    ...createAuthRoutes(needs),
    ...createSecondFactorRoutes(needs),
    ...createSessionRoutes(needs),
    ...createMeRoutes(needs),
    ...createFactorRoutes(needs),
    ...createFactorAdministrationRoutes(needs),
    ...createApiKeyRoutes({ ...needs, permissions: [first, ...rest] }),
    ...createUserRoutes(needs),
    ...createOrganizationRoutes(needs),
    ...createMemberRoutes(needs),
    ...createClientRoutes(needs),
    ...createAuditRoutes(needs),
    ...needs.protocolRoutes,
  ]
  for (const { path, permission } of routes)
    if (permission !== undefined && permission !== 'signed_in' && permission !== 'authenticated' && !isPermission(permission))
      throw new Error(`${path} needs ${permission}, which the table lacks`)
  return routes
}

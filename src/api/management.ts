// The list of routes of the management API: every slice's operations, under /api/v1.
import { createApiKeyRoutes } from '../api-keys/routes.ts'
import { createAuditRoutes } from '../audit/routes.ts'
import { createAuditVerificationRoutes } from '../audit/verification-routes.ts'
import { createAuthRoutes } from '../authentication/routes.ts'
import { createClientRoutes } from '../clients/routes.ts'
import { createMemberRoutes } from '../organizations/member-routes.ts'
import { createRoleRoutes } from '../organizations/role-routes.ts'
import { createOrganizationRoutes } from '../organizations/routes.ts'
import type { Route } from '../platform/http/route.ts'
import { createSessionRoutes } from '../sessions/routes.ts'
import { createUserImportRoutes } from '../users/import-routes.ts'
import { createUserRoutes } from '../users/routes.ts'
import { withinExisting } from './existing.ts'
import { createMeRoutes } from './me.ts'
import { clientPermissions, isPermission, machinePermissions, organizationPermissionNames, permissions } from './permissions.ts'

type Needs = Parameters<typeof createAuthRoutes>[0] &
  Parameters<typeof createSessionRoutes>[0] &
  Parameters<typeof createMeRoutes>[0] &
  Omit<Parameters<typeof createApiKeyRoutes>[0], 'permissions'> &
  Parameters<typeof createUserImportRoutes>[0] &
  Parameters<typeof createUserRoutes>[0] &
  Parameters<typeof createOrganizationRoutes>[0] &
  Parameters<typeof createMemberRoutes>[0] &
  Omit<Parameters<typeof createRoleRoutes>[0], 'organizationPermissionNames'> &
  Omit<Parameters<typeof createClientRoutes>[0], 'apiPermissions'> &
  Parameters<typeof createAuditRoutes>[0] &
  Parameters<typeof createAuditVerificationRoutes>[0] & {
    /** Those of the protocol's entrance. */
    readonly protocolRoutes: readonly Route[]
  }

/** Where they are served. */
export const managementPrefix = '/api/v1'

/** Makes the list. Throws for a permission that the table does not know. A fixed path stands before one with a parameter. */
export const createManagementRoutes = (needs: Needs): readonly Route[] => {
  const apiPermissions = { system: machinePermissions, organization: [...clientPermissions], all: permissions }
  const routes = [
    ...createAuthRoutes(needs),
    ...createSessionRoutes(needs),
    ...createMeRoutes(needs),
    ...createApiKeyRoutes({ ...needs, permissions: machinePermissions }),
    ...createUserImportRoutes(needs),
    ...createUserRoutes(needs),
    ...createOrganizationRoutes(needs),
    ...createMemberRoutes(needs),
    ...createRoleRoutes({ ...needs, organizationPermissionNames }),
    ...createClientRoutes({ ...needs, apiPermissions }),
    ...createAuditRoutes(needs),
    ...createAuditVerificationRoutes(needs),
    ...needs.protocolRoutes,
  ]
  for (const { path, permission } of routes)
    if (permission !== undefined && permission !== 'signed_in' && permission !== 'authenticated' && !isPermission(permission))
      throw new Error(`${path} needs ${permission}, which the table lacks`)
  return routes.map(one => withinExisting(one, id => needs.organizations.get(id)))
}

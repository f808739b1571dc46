// The list of routes of the management API: every slice's operations, under /api/v1.
import { createApiKeyRoutes } from '../api-keys/routes.ts'
import { createAuditRoutes } from '../audit/routes.ts'
import { createAuditVerificationRoutes } from '../audit/verification-routes.ts'
import { createRecoveryRoutes } from '../authentication/recovery-routes.ts'
import { createAuthRoutes } from '../authentication/routes.ts'
import { createSecondFactorRoutes } from '../authentication/second-factor-routes.ts'
import { createAgentRoutes } from '../clients/agent-routes.ts'
import { createResourceServerRoutes } from '../clients/resource-server-routes.ts'
import { createClientRoutes } from '../clients/routes.ts'
import { createConnectionRoutes } from '../connectors/connection-routes.ts'
import { createDomainRoutes } from '../connectors/domain-routes.ts'
import { createIdentityRoutes } from '../connectors/identity-routes.ts'
import { createFactorAdministrationRoutes } from '../mfa/administration-routes.ts'
import { createPasskeyRoutes } from '../mfa/passkey-routes.ts'
import { createFactorRoutes } from '../mfa/routes.ts'
import { createInvitationRoutes } from '../organizations/invitation-routes.ts'
import { createMemberRoutes } from '../organizations/member-routes.ts'
import { createRoleRoutes } from '../organizations/role-routes.ts'
import { createOrganizationRoutes } from '../organizations/routes.ts'
import { createSettingsRoutes } from '../organizations/settings-routes.ts'
import { createPreviewRoutes } from '../pages/preview-routes.ts'
import type { Route } from '../platform/http/route.ts'
import { createJobRoutes } from '../platform/jobs/routes.ts'
import { createSessionRoutes } from '../sessions/routes.ts'
import { createEmailChangeRoutes } from '../users/email-change-routes.ts'
import { createUserImportRoutes } from '../users/import-routes.ts'
import { createUserRoutes } from '../users/routes.ts'
import { createWebhookRoutes } from '../webhooks/routes.ts'
import { withinExisting } from './existing.ts'
import { createMeRoutes } from './me.ts'
import { clientPermissions, isPermission, machinePermissions, organizationPermissionNames, permissions } from './permissions.ts'

type Needs = Parameters<typeof createAuthRoutes>[0] &
  Parameters<typeof createRecoveryRoutes>[0] &
  Parameters<typeof createJobRoutes>[0] &
  Parameters<typeof createSessionRoutes>[0] &
  Parameters<typeof createMeRoutes>[0] &
  Parameters<typeof createEmailChangeRoutes>[0] &
  Parameters<typeof createPasskeyRoutes>[0] &
  Parameters<typeof createSecondFactorRoutes>[0] &
  Parameters<typeof createFactorRoutes>[0] &
  Parameters<typeof createFactorAdministrationRoutes>[0] &
  Parameters<typeof createIdentityRoutes>[0] &
  Omit<Parameters<typeof createApiKeyRoutes>[0], 'permissions'> &
  Parameters<typeof createAgentRoutes>[0] &
  Parameters<typeof createUserImportRoutes>[0] &
  Parameters<typeof createUserRoutes>[0] &
  Parameters<typeof createOrganizationRoutes>[0] &
  Parameters<typeof createSettingsRoutes>[0] &
  Parameters<typeof createPreviewRoutes>[0] &
  Parameters<typeof createMemberRoutes>[0] &
  Parameters<typeof createInvitationRoutes>[0] &
  Omit<Parameters<typeof createRoleRoutes>[0], 'organizationPermissionNames'> &
  Omit<Parameters<typeof createClientRoutes>[0], 'apiPermissions'> &
  Parameters<typeof createResourceServerRoutes>[0] &
  Parameters<typeof createConnectionRoutes>[0] &
  Parameters<typeof createDomainRoutes>[0] &
  Parameters<typeof createWebhookRoutes>[0] &
  Parameters<typeof createAuditRoutes>[0] &
  Parameters<typeof createAuditVerificationRoutes>[0] & {
    /** Those of the protocol's entrance. */
    readonly protocolRoutes: readonly Route[]
  }

/** Makes the list. Throws for a permission that the table does not know. A fixed path stands before one with a parameter. */
export const createManagementRoutes = (needs: Needs): readonly Route[] => {
  const apiPermissions = { system: machinePermissions, organization: [...clientPermissions], all: permissions }
  const routes = [
    ...createAuthRoutes(needs),
    ...createRecoveryRoutes(needs),
    ...createSessionRoutes(needs),
    ...createMeRoutes(needs),
    ...createEmailChangeRoutes(needs),
    ...createPasskeyRoutes(needs),
    ...createAgentRoutes(needs),
    ...createApiKeyRoutes({ ...needs, permissions: machinePermissions }),
    ...createUserImportRoutes(needs),
    ...createSecondFactorRoutes(needs),
    ...createFactorRoutes(needs),
    ...createFactorAdministrationRoutes(needs),
    ...createIdentityRoutes(needs),
    ...createUserRoutes(needs),
    ...createOrganizationRoutes(needs),
    ...createSettingsRoutes(needs),
    ...createPreviewRoutes(needs),
    ...createMemberRoutes(needs),
    ...createInvitationRoutes(needs),
    ...createRoleRoutes({ ...needs, organizationPermissionNames }),
    ...createClientRoutes({ ...needs, apiPermissions }),
    ...createResourceServerRoutes(needs),
    ...createConnectionRoutes(needs),
    ...createDomainRoutes(needs),
    ...createWebhookRoutes(needs),
    ...createAuditRoutes(needs),
    ...createAuditVerificationRoutes(needs),
    ...createJobRoutes(needs),
    ...needs.protocolRoutes,
  ]
  for (const { path, permission } of routes)
    if (permission !== undefined && permission !== 'signed_in' && permission !== 'authenticated' && !isPermission(permission))
      throw new Error(`${path} needs ${permission}, which the table lacks`)
  return routes.map(one => withinExisting(one, id => needs.organizations.get(id)))
}

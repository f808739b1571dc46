// What belongs to organizations: their people, their settings, their clients.

import { grantable, organizationPermissions, systemPermissions } from './api/permissions.ts'
import { createClientAdministration } from './clients/administration.ts'
import { withoutPersonalAgents } from './clients/agent.ts'
import { createEndAgents } from './clients/agent-endings.ts'
import { createFindAgentOwners } from './clients/agent-owner.ts'
import { createAgentsOfOwners } from './clients/agents-of-owners.ts'
import { clientBelongings } from './clients/belongings.ts'
import { createFindLook } from './clients/branding.ts'
import { createFindCarried } from './clients/carried.ts'
import { createClients } from './clients/clients.ts'
import { createFindConnectionRule } from './clients/connection-rule.ts'
import { createDetailsTypes } from './clients/details-types.ts'
import { createDocumentClients, withDocumentRule } from './clients/document-clients.ts'
import { createDocumentRows } from './clients/document-rows.ts'
import { fetchDocument, maxDocumentBytes } from './clients/fetch-document.ts'
import { createResourceServerAdministration } from './clients/resource-server-administration.ts'
import { createResourceServers } from './clients/resource-servers.ts'
import { createFindSignUpRule } from './clients/sign-up-rule.ts'
import type { Config } from './config.ts'
import { handedOutRoles } from './connectors/handed-roles.ts'
import { eraseMemberIdentities } from './connectors/identity-erasures.ts'
import type { Foundation } from './foundation.ts'
import { maxImageBytes } from './images/image.ts'
import { createImages } from './images/images.ts'
import { endGrantsOfAgents } from './oidc/agent-grants.ts'
import { endBackchannelRequestsOfClient, endBackchannelRequestsOfMember } from './oidc/backchannel-requests.ts'
import { createAdding } from './organizations/adding.ts'
import { createMustHoldRoleNames } from './organizations/handing.ts'
import { createFindHeldScopes } from './organizations/held-scopes.ts'
import { createMustHoldRoles } from './organizations/holding.ts'
import { createInvitations } from './organizations/invitations.ts'
import { createInvitedRoles } from './organizations/invited-roles.ts'
import { createFindGiven } from './organizations/inviter.ts'
import { createJoinOrganization } from './organizations/join.ts'
import { createMembers } from './organizations/members.ts'
import { createMemberships } from './organizations/memberships.ts'
import { createOrganizations, lockOrganization } from './organizations/organizations.ts'
import { mustBeGrantable } from './organizations/resource-scopes.ts'
import { createRoles } from './organizations/roles.ts'
import { createOrganizationSettings } from './organizations/settings.ts'
import { apiIdentifierOf } from './platform/api-identifier.ts'
import type { Resources } from './resources.ts'
import { lockAuthority } from './users/end-access.ts'

/** These services. */
export type TenantServices = ReturnType<typeof createTenantServices>

/** Makes them. */
export const createTenantServices = (
  { database, log, secrets, now, randomBytes }: Resources,
  { feed, change, limit, queue, endings, endSessionsOfIdentities, isMailPossible, mails, notify, outbound }: Foundation,
  { issuer, documentRule: rule, areAgentsOn }: Pick<Config, 'issuer' | 'documentRule' | 'areAgentsOn'>,
) => {
  const organizationSettings = createOrganizationSettings({ database, change, feed, now })
  const endAgents = createEndAgents({ endRequests: endBackchannelRequestsOfClient, endGrants: endGrantsOfAgents, now })
  const agentsOfOwners = createAgentsOfOwners({ endAgents, now })
  const organizations = createOrganizations({
    database,
    change,
    now,
    randomBytes,
    belongings: {
      ...clientBelongings,
      disable: async (tx, record, gone) => {
        await agentsOfOwners.endOfOrganization(tx, record, gone.organizationId)
        await clientBelongings.disable(tx, record, gone)
      },
    },
    forgetSettings: organizationSettings.forget,
  })
  const roleNeeds = {
    database,
    change,
    lock: lockOrganization,
    permissionsOf: organizationPermissions,
    mustHoldRoles: createMustHoldRoles(organizationPermissions),
  }
  const mustHoldRoleNames = createMustHoldRoleNames(roleNeeds)
  const members = createMembers({
    ...roleNeeds,
    adding: createAdding({ limit, notify }),
    eraseBelongings: async (tx, record, member) => {
      await eraseMemberIdentities({ tx, record, endSessions: endSessionsOfIdentities, lockAuthority }, member)
      await agentsOfOwners.end(tx, record, member)
      await endings.ofMember(tx, member)
      await endBackchannelRequestsOfMember(tx, member)
    },
  })
  const memberships = createMemberships({ database, permissionsOf: organizationPermissions, grantable })
  const roles = createRoles({ ...roleNeeds, handedOutRoles: [handedOutRoles, createInvitedRoles({ now })], mustBeGrantable })
  const joinOrganization = createJoinOrganization(roleNeeds)
  const findGiven = createFindGiven({ ...roleNeeds, systemPermissionsOf: systemPermissions })
  const invitations = createInvitations({ ...roleNeeds, findGiven, isMailPossible, mails, limit, randomBytes, now, issuer })
  const images = createImages({ database, queue, limit, log, now, fetch: outbound({ maxBytes: maxImageBytes }) })
  const ruled = withDocumentRule(createClients({ database, change, feed, secrets, now, randomBytes, images, notify }), { rule })
  const clients = areAgentsOn ? ruled : withoutPersonalAgents(ruled)
  const fetch = outbound({ maxBytes: maxDocumentBytes })
  const documentClients = createDocumentClients({
    rows: createDocumentRows({ database, change, now }),
    clients,
    rule,
    issuer,
    limit,
    fetchDocument: address => fetchDocument(address, { fetch, issuer }),
    now,
  })
  const clientAdministration = createClientAdministration({
    database,
    change,
    secrets,
    now,
    randomBytes,
    images,
    endRequests: endBackchannelRequestsOfClient,
    endAgents,
    findCarried: createFindCarried({ apiIdentifier: apiIdentifierOf(issuer) }),
    forget: clients.forget,
  })
  const resourceServers = createResourceServers({
    database,
    feed,
    now,
    create: (actor, server) => resourceServerAdministration.create(actor, server).then(() => undefined),
  })
  const own = [issuer, `${issuer}/`, apiIdentifierOf(issuer)]
  const resourceServerAdministration = createResourceServerAdministration({ database, change, now, own, forget: resourceServers.forget })
  const detailsTypes = createDetailsTypes({ database, feed, now })
  return {
    organizations,
    organizationSettings,
    members,
    memberships,
    joinOrganization,
    roles,
    mustHoldRoleNames,
    invitations,
    images,
    clients,
    documentClients,
    clientAdministration,
    agentsOfOwners,
    endAgents,
    resourceServers,
    resourceServerAdministration,
    detailsTypes,
    findHeldScopes: createFindHeldScopes({ memberships }),
    findAgentOwners: createFindAgentOwners(database),
    findLook: createFindLook({ clients, organizationSettings, images }),
    findConnectionRule: createFindConnectionRule({ clients }),
    findSignUpRule: createFindSignUpRule({ clients, organizationSettings }),
  }
}

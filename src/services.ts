// The composition root: each service made once, in order of need, the large groups in files beside this one.

import { createApiKeys } from './api-keys/api-keys.ts'
import { createAudit } from './audit/audit.ts'
import { createImportedPasswords } from './authentication/imported-passwords.ts'
import { createAuthenticationServices } from './authentication-services.ts'
import { createListAgents } from './clients/agents.ts'
import { createIsReservedName } from './clients/reserved-names.ts'
import type { Config } from './config.ts'
import { createConnectorServices } from './connector-services.ts'
import { createFactorServices } from './factor-services.ts'
import { createFoundation } from './foundation.ts'
import { measure } from './measure.ts'
import { createPingHandler, createTellHandler } from './oidc/backchannel-jobs.ts'
import { createBackchannelRequests } from './oidc/backchannel-requests.ts'
import { createConsents } from './oidc/consents.ts'
import { createSigningKeys } from './oidc/signing-keys.ts'
import { guardRemoval, lockOwned } from './organizations/owners.ts'
import { createReseal } from './platform/data/reseal.ts'
import type { Resources } from './resources.ts'
import { sealedColumns } from './sealed-columns.ts'
import { createApiSessions } from './sessions/api-sessions.ts'
import { createDevices } from './sessions/devices.ts'
import { createSessions } from './sessions/sessions.ts'
import { createTenantServices } from './tenant-services.ts'
import { createUpstreamServices } from './upstream-services.ts'
import { createAccountDeletion } from './users/account-deletion.ts'
import { createUserAdministration } from './users/administration.ts'
import { createEmailChanges } from './users/email-change.ts'
import { lockAuthority } from './users/end-access.ts'
import { createEvictUnproven } from './users/evict-unproven.ts'
import { hasAccessSince } from './users/hold-user.ts'
import { createUserImports } from './users/imports.ts'
import { createCollectPersonalData } from './users/personal-data.ts'
import { createWebhookServices } from './webhook-services.ts'

/** The services of the system. */
export type Services = ReturnType<typeof createServices>

/** Makes them over what is open; of the settings each is handed only what it needs. */
export const createServices = (resources: Resources, config: Config) => {
  const { database, secrets, log, now, randomBytes } = resources
  const { issuer } = config
  const foundation = createFoundation(resources, config)
  const { change, limit, isMailPossible, mails, notify, challenges, endings, newUuid } = foundation
  const tenants = createTenantServices(resources, foundation, config)
  const { members, findAgentOwners, agentsOfOwners } = tenants
  const authentication = createAuthenticationServices(resources, { ...foundation, ...tenants }, config)
  const { endAccess, users } = authentication
  const connectors = createConnectorServices(resources, { ...foundation, ...tenants }, config)
  const upstream = createUpstreamServices(resources, { ...foundation, ...authentication, ...tenants, ...connectors }, config)
  const devices = createDevices({ notify })
  const sessions = createSessions({ database, devices, newId: newUuid })
  const apiSessions = createApiSessions({
    database,
    change,
    devices,
    randomBytes,
    newId: newUuid,
    now,
    endBrowserSession: endings.ofSession,
    hasAccessSince,
    lockAuthority,
  })
  const apiKeys = createApiKeys({ database, change, randomBytes, now })
  const factors = createFactorServices(resources, { ...foundation, ...authentication, ...tenants, apiSessions }, config)
  const { forget } = users
  const userAdministration = createUserAdministration({
    database,
    change,
    now,
    forget,
    endAccess,
    lockOwned,
    guardRemoval,
    agentsOfOwners,
    challenges,
    notify,
  })
  const userImports = createUserImports({ database, change, passwords: createImportedPasswords({ now, newUuid }), log, now, newUuid })
  const signingKeys = createSigningKeys({ ...config.keys, database, change, secrets, now })
  const webhooks = createWebhookServices(resources, foundation, config)
  measure(resources, { passwords: authentication.passwords, signingKeys, webhookBacklog: webhooks.webhookBacklog })
  const audit = createAudit({ database, secrets, log, now, newUuid })
  const consents = createConsents({ database, change, endings, findAgentOwners })
  const backchannelRequests = createBackchannelRequests({ ...foundation, database, secrets })
  const backchannelNeeds = { ...foundation, ...tenants, database, secrets, issuer, now, fetch: foundation.outbound({ maxBytes: 1024 }) }
  const backchannelHandlers = [createTellHandler(backchannelNeeds), createPingHandler(backchannelNeeds)]
  const evictUnproven = createEvictUnproven({ endAccess, agentsOfOwners, now })
  const emailChanges = createEmailChanges({
    change,
    challenges,
    mails,
    notify,
    limit,
    endAccess,
    agentsOfOwners,
    evictUnproven,
    forget,
    isMailPossible,
    issuer,
    now,
  })
  const accountDeletion = createAccountDeletion({ userAdministration, change, challenges, notify, evictUnproven, forget, issuer })
  const collectPersonalData = createCollectPersonalData({
    userAdministration,
    members,
    apiSessions,
    authenticators: factors.authenticators,
    identities: upstream.identities,
    auditLog: audit.auditLog,
    consents,
    listAgents: createListAgents(tenants.clientAdministration),
    now,
  })
  return {
    ...foundation,
    ...authentication,
    ...tenants,
    ...factors,
    ...connectors,
    ...upstream,
    ...audit,
    ...webhooks,
    userAdministration,
    userImports,
    sessions,
    apiSessions,
    apiKeys,
    signingKeys,
    consents,
    backchannelRequests,
    backchannelHandlers,
    emailChanges,
    accountDeletion,
    collectPersonalData,
    isReservedName: createIsReservedName(config.mailFrom),
    reseal: createReseal({ database, change, secrets, columns: sealedColumns }),
  }
}

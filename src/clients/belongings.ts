// What happens to the clients and resource servers of an organization that is deleted, restored or purged. Resource servers need no
// switching: nothing is issued for one whose organization is deleted.

import { endOfAbsence } from '../platform/access-end.ts'
import type { RecordEvent } from '../platform/data/change.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'

/** Disables the clients of an organization that are not disabled already; what they hold ends. */
const disable = async (tx: TransactionClient, _record: RecordEvent, { organizationId, at }: { organizationId: string; at: Date }): Promise<void> => {
  await tx.client.updateMany({ where: { organizationId, disabledAt: null }, data: { disabledAt: at, accessEndedAt: at, version: { increment: 1 } } })
}

/** Takes back what {@link disable} did at that moment, but for what ended; what was disabled before stays so. */
const enable = async (tx: TransactionClient, organizationId: string, { disabledAt, at }: { disabledAt: Date; at: Date }): Promise<void> => {
  const accessEndedAt = endOfAbsence({ accessEndedAt: disabledAt }, at)
  await tx.client.updateMany({ where: { organizationId, disabledAt }, data: { disabledAt: null, accessEndedAt, version: { increment: 1 } } })
}

/** Empties the clients for good. Their identifiers stay taken: tokens and logs of others still name them. */
const release = async (tx: TransactionClient, organizationId: string): Promise<void> => {
  const owned = { organizationId }
  await tx.clientSecret.deleteMany({ where: { client: owned } })
  await tx.client.updateMany({ where: { ...owned, deletedAt: null }, data: { deletedAt: new Date(0) } })
  await tx.client.updateMany({ where: owned, data: { ...emptied, organizationId: null } })
  await tx.resourceServerClient.deleteMany({ where: { resourceServer: owned } })
  // Without an organization, but never alive again: it does not become one of the system.
  await tx.resourceServer.updateMany({ where: owned, data: { ...emptiedResourceServer, deletedAt: new Date(0), organizationId: null } })
}

/** What is left of a client that was purged. */
export const emptied = {
  name: '',
  redirectUris: [],
  postLogoutRedirectUris: [],
  metadata: {},
  apiPermissions: [],
  tokenExchange: {},
  branding: {},
  isMembersOnly: false,
  isAgent: false,
  ownerUserId: null,
  endedKeys: [],
  version: { increment: 1 },
}

/** The conditions of which a client that was not emptied meets one: it may have registered without a name. */
export const isFull = [
  { NOT: { name: '' } },
  { NOT: { redirectUris: { isEmpty: true } } },
  { NOT: { metadata: { equals: {} } } },
  { secrets: { some: {} } },
] as const

/** What is left of a resource server that was purged. */
export const emptiedResourceServer = { name: '', scopes: [], scopeDescriptions: {}, version: { increment: 1 } }

/** Throws `organization_deleted` for a client or resource server whose organization is. */
export const mustBelongToTheLiving = async (tx: TransactionClient, { organizationId }: { readonly organizationId: string | null }) => {
  if (organizationId === null) return
  if ((await tx.organization.count({ where: { id: organizationId, deletedAt: null } })) === 0) throw new Problem('organization_deleted')
}

/** The clients and resource servers as belongings of an organization. */
export const clientBelongings = { disable, enable, release } as const

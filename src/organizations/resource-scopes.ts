// Which scopes of resource servers a role may hold: those of the system's resource servers and of the organization's own.
import type { TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import { resourceScopeOf } from './role.ts'

interface Given {
  readonly organizationId: string
  /** Each `identifier scope`. */
  readonly resourceScopes: readonly string[]
}

/** Throws `validation_failed` for a scope that no resource server of the organization's has. */
export type MustBeGrantable = (tx: TransactionClient, given: Given) => Promise<void>

/** Asked inside the change, where the organization is locked. What a resource server gives up later allows nothing. */
export const mustBeGrantable: MustBeGrantable = async (tx, { organizationId, resourceScopes }) => {
  const asked = resourceScopes.map(resourceScopeOf)
  if (asked.length === 0) return
  const identifiers = [...new Set(asked.map(({ resource }) => resource))]
  const where = { identifier: { in: identifiers }, deletedAt: null, OR: [{ organizationId: null }, { organizationId }] }
  const servers = await tx.resourceServer.findMany({ where, select: { identifier: true, scopes: true } })
  const known = new Map(servers.map(({ identifier, scopes }) => [identifier, scopes]))
  const isUnknown = ({ resource, scope }: (typeof asked)[number]) => !known.get(resource)?.includes(scope)
  const unknown = asked.find(isUnknown)
  if (unknown)
    throw new Problem('validation_failed', {
      fields: [{ path: 'resource_scopes', message: `names “${unknown.scope}” of ${unknown.resource}, which is not there for the organization` }],
    })
}

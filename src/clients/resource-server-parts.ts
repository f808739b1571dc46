// What stands beside a resource server's row: the clients it lists and its types of authorization details, checked and replaced whole.
import type { TransactionClient } from '../platform/data/database.ts'
import { type FieldFault, Problem } from '../platform/errors.ts'
import { type DetailsType, type ListedClient, type ResourceServer, scopeFault, scopePattern } from './resource-server.ts'

/** What is checked together. */
export interface Parts extends Pick<ResourceServer, 'identifier' | 'organizationId' | 'scopes'> {
  readonly clients: readonly ListedClient[]
  readonly detailsTypes: readonly DetailsType[]
}

/** Throws `validation_failed` with each field of the API that is wrong. */
export const mustBeSound = ({ identifier, organizationId, scopes, clients, detailsTypes }: Parts): void => {
  const names = detailsTypes.map(({ type }) => type)
  const fields: (FieldFault | undefined)[] = [
    ...scopes.map((name, at) => faultAt(`scopes.${at}.name`, scopeFault(name) ?? repeated(scopes, at))),
    ...names.map((type, at) => faultAt(`authorization_details_types.${at}.type`, typeFault(type, organizationId && identifier) ?? repeated(names, at))),
    ...clients.flatMap((one, at) => [
      faultAt(`clients.${at}.scopes`, one.scopes.every(scope => scopes.includes(scope)) ? undefined : 'names a scope that the resource server lacks'),
      faultAt(`clients.${at}.authorization_details_types`, one.detailsTypes.every(type => names.includes(type)) ? undefined : 'names a type that it lacks'),
      faultAt(
        `clients.${at}.client_id`,
        repeated(
          clients.map(({ clientId }) => clientId),
          at,
        ),
      ),
    ]),
  ]
  const found = fields.filter(field => field !== undefined)
  if (found.length > 0) throw new Problem('validation_failed', { fields: found })
}

/** Lists these clients and no others. Throws `validation_failed` for one that is not there, or belongs to another organization. */
export const replaceClients = async (
  tx: TransactionClient,
  { id, organizationId, clients }: Pick<Parts, 'organizationId' | 'clients'> & { readonly id: string },
): Promise<void> => {
  const owners = organizationId === undefined ? {} : { OR: [{ organizationId: null }, { organizationId }] }
  const where = { clientId: { in: clients.map(({ clientId }) => clientId) }, deletedAt: null, ...owners }
  const rows = await tx.client.findMany({ where, select: { id: true, clientId: true } })
  const known = new Map(rows.map(row => [row.clientId, row.id]))
  const data = clients.map(({ clientId, scopes, detailsTypes, introspects }, at) => {
    const found = known.get(clientId)
    if (found === undefined)
      throw new Problem('validation_failed', { fields: [{ path: `clients.${at}.client_id`, message: 'is no client that may be listed here' }] })
    return { resourceServerId: id, clientId: found, scopes: [...new Set(scopes)], authorizationDetailsTypes: [...new Set(detailsTypes)], introspects }
  })
  await tx.resourceServerClient.deleteMany({ where: { resourceServerId: id } })
  await tx.resourceServerClient.createMany({ data })
}

/** Offers these types and no others; a name that is given up stays with this resource server. Throws `details_type_taken`. */
export const replaceTypes = async (
  tx: TransactionClient,
  { id, detailsTypes, now }: Pick<Parts, 'detailsTypes'> & { readonly id: string; readonly now: Date },
): Promise<void> => {
  await tx.authorizationDetailsType.updateMany({
    where: { resourceServerId: id, removedAt: null, type: { notIn: detailsTypes.map(({ type }) => type) } },
    data: { removedAt: now },
  })
  for (const { type, title, schema } of detailsTypes) {
    const columns = { title, schema: JSON.parse(JSON.stringify(schema)), removedAt: null }
    const { count } = await tx.authorizationDetailsType.updateMany({ where: { type, resourceServerId: id }, data: columns })
    // The primary key decides where another has it.
    if (count === 0) await tx.authorizationDetailsType.create({ data: { type, resourceServerId: id, ...columns } })
  }
}

const faultAt = (path: string, message: string | undefined): FieldFault | undefined => (message === undefined ? undefined : { path, message })

const repeated = (all: readonly string[], at: number) => (all.indexOf(all[at] ?? '') < at ? 'is there already' : undefined)

const typeFault = (type: string, prefix: string | undefined): string | undefined => {
  if (!scopePattern.test(type) || type in Object.prototype) return 'must be printable ASCII without spaces, quotes and backslashes'
  return prefix !== undefined && !isBeneath(type, prefix) ? 'must be the identifier of the resource server, or begin with it and one of / # ? :' : undefined
}

// What only begins alike may be another's: `https://a.example/x-2` is not beneath `https://a.example/x`.
const isBeneath = (type: string, prefix: string) =>
  type === prefix || (type.startsWith(prefix) && (/[/#?:]$/.test(prefix) || /^[/#?:]/.test(type.slice(prefix.length))))

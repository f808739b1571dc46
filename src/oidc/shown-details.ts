// Authorization details as a person reads them: the title of each type, and its fields by the titles that its schema gives them.
import type { DetailsSchema } from '../clients/details-schema.ts'
import type { DetailsTypes } from '../clients/details-types.ts'
import type { ResourceServers } from '../clients/resource-servers.ts'
import { askedDetails } from './asked-details.ts'

/** One of them. */
export interface ShownDetail {
  readonly title: string
  /** The name of the resource server. */
  readonly resource: string
  readonly fields: readonly { readonly label: string; readonly value: string | boolean }[]
}

interface Needs {
  readonly detailsTypes: Pick<DetailsTypes, 'find'>
  readonly resourceServers: Pick<ResourceServers, 'find'>
}

/** Those of a request; everything that was asked is shown, also of a type that has gone since. */
export const showDetails = (parameter: unknown, { detailsTypes, resourceServers }: Needs): Promise<readonly ShownDetail[]> =>
  Promise.all(
    askedDetails(parameter).map(async ({ type, ...fields }) => {
      const found = await detailsTypes.find(type)
      const server = found && (await resourceServers.find(found.identifier))
      return { title: found?.title ?? type, resource: server?.name ?? type, fields: fieldsOf(fields, { schema: found?.schema, labels: [] }) }
    }),
  )

interface Place {
  readonly schema: DetailsSchema | undefined
  readonly labels: readonly string[]
}

// The leaves of what is nested, each under the labels on the way to it.
const fieldsOf = (value: unknown, { schema, labels }: Place): ShownDetail['fields'] => {
  if (Array.isArray(value)) {
    if (value.every(one => typeof one !== 'object')) return [{ label: labels.join(' · '), value: value.map(String).join(', ') }]
    return value.flatMap((one, at) => fieldsOf(one, { schema: schema?.items, labels: [...labels, String(at + 1)] }))
  }
  if (typeof value !== 'object' || value === null) return [{ label: labels.join(' · '), value: typeof value === 'boolean' ? value : String(value) }]
  return Object.entries(value).flatMap(([name, one]) => {
    const inner = schema?.properties?.[name]
    return fieldsOf(one, { schema: inner, labels: [...labels, inner?.title ?? name.replaceAll('_', ' ')] })
  })
}

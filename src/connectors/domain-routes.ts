// The operations on the domains of an organization.
import { z } from 'zod'
import { type Lists, listQuery } from '../platform/http/list.ts'
import { done, type Route, route } from '../platform/http/route.ts'
import { text, uuid } from '../platform/http/text.ts'
import type { Domain } from './domain.ts'
import type { Domains } from './domains.ts'

const params = z.strictObject({ id: uuid })
const domainParams = params.extend({ domainId: uuid })
const keyOf = ({ id, domainId }: z.output<typeof domainParams>) => ({ id: domainId, organizationId: id })
const read = { within: 'organization', permission: 'domains:read' } as const
const write = { within: 'organization', permission: 'domains:write' } as const
const writeKnown = { ...write, comparesVersion: true } as const
const at = { path: '/organizations/:id/domains/:domainId', params: domainParams } as const
const domainOutput = z.object({
  id: z.uuid(),
  domain: z.string(),
  proven: z.boolean(),
  proven_at: z.iso.datetime().nullable(),
  checked_at: z.iso.datetime().nullable(),
  missing_since: z.iso.datetime().nullable(),
  record: z.object({ type: z.literal('TXT'), name: z.string(), value: z.string() }),
  connection_id: z.uuid().nullable(),
  created_at: z.iso.datetime(),
})

/** Makes the routes. */
export const createDomainRoutes = ({ domains, lists }: { readonly domains: Domains; readonly lists: Lists }): readonly Route[] => [
  route({
    ...read,
    method: 'GET',
    path: '/organizations/:id/domains',
    summary: "An organization's domains.",
    params,
    query: listQuery({ sorts: ['-created_at', 'created_at'], filters: {} }),
    output: z.array(domainOutput),
    handle: async ({ params, query }) => {
      const list = lists.open(`organizations/${params.id}/domains`, query)
      const found = await domains.list(params.id, { limit: list.limit, after: list.after?.[0], isAscending: query.sort === 'created_at' })
      const { data, meta } = list.page({ ...found, cursorOf: domain => [domain.id] })
      return { data: data.map(output), meta }
    },
  }),
  route({
    ...write,
    method: 'POST',
    path: '/organizations/:id/domains',
    summary: 'Adds a domain, with the TXT record that proves it.',
    params,
    body: z.strictObject({ domain: text(300), connection_id: uuid.optional() }),
    output: domainOutput,
    status: 201,
    handle: async ({ actor, params, body }) =>
      answer(await domains.create(actor, { organizationId: params.id, domain: body.domain, connectionId: body.connection_id })),
  }),
  route({
    ...read,
    ...at,
    method: 'GET',
    summary: 'One domain.',
    output: domainOutput,
    handle: async ({ params }) => answer(await domains.get(keyOf(params))),
  }),
  route({
    ...writeKnown,
    ...at,
    method: 'PATCH',
    summary: "Says by which of the organization's connections people of this domain sign in; null: by the first.",
    body: z.strictObject({ connection_id: uuid.nullable() }).partial(),
    output: domainOutput,
    handle: async ({ actor, params, body, ifMatch }) => {
      const expect = (domain: Domain) => ifMatch(versionOf(domain))
      if (body.connection_id !== undefined) return answer(await domains.update(actor, keyOf(params), { connectionId: body.connection_id, expect }))
      const domain = await domains.get(keyOf(params))
      expect(domain)
      return answer(domain)
    },
  }),
  route({
    ...writeKnown,
    ...at,
    method: 'DELETE',
    summary: 'Removes a domain: its addresses are led nowhere any more.',
    output: done,
    handle: async ({ actor, params, ifMatch }) => {
      await domains.remove(actor, keyOf(params), { expect: domain => ifMatch(versionOf(domain)) })
      return { data: null }
    },
  }),
  route({
    ...write,
    ...at,
    method: 'POST',
    path: '/organizations/:id/domains/:domainId/verify',
    summary: 'Looks for the TXT record; one organization alone has a proven domain.',
    output: domainOutput,
    handle: async ({ actor, params }) => answer(await domains.verify(actor, keyOf(params))),
  }),
]

// All that is told: who holds an older answer asks again.
const versionOf = (domain: Domain) => JSON.stringify(output(domain))

const answer = (domain: Domain) => ({ data: output(domain), version: versionOf(domain) })

const output = ({ id, domain, record, connectionId, provenAt, checkedAt, missingSince, createdAt }: Domain): z.input<typeof domainOutput> => ({
  id,
  domain,
  proven: provenAt !== undefined,
  proven_at: provenAt?.toISOString() ?? null,
  checked_at: checkedAt?.toISOString() ?? null,
  missing_since: missingSince?.toISOString() ?? null,
  record: { type: 'TXT', ...record },
  connection_id: connectionId ?? null,
  created_at: createdAt.toISOString(),
})

// What the routes of connections do, wherever they stand: parsed values in, answers out.
import { z } from 'zod'
import type { Actor } from '../platform/actor.ts'
import type { Lists } from '../platform/http/list.ts'
import type { IfMatch } from '../platform/http/route.ts'
import type { AdministeredConnection, ConnectionKey } from './administered.ts'
import type { ConnectionAdministration } from './administration.ts'
import { type connectionBody, type newConnectionBody, type OwnersFields, toChanges, toConnectionOutput } from './connection-output.ts'
import type { Connector } from './connector.ts'
import type { Connectors } from './list.ts'
import type { Probe } from './probe.ts'

/** What the operations need. */
export interface OperationNeeds {
  readonly connectors: Connectors
  readonly connectionAdministration: ConnectionAdministration
  readonly connectionProbe: Probe
  readonly lists: Lists
}

interface ListQuery {
  readonly limit: number
  readonly after?: string | undefined
  readonly sort: string
  readonly connector?: string | undefined
  readonly status?: 'active' | 'deleted' | undefined
}

type Body = z.output<typeof connectionBody> & OwnersFields
type NewBody = z.output<typeof newConnectionBody> & OwnersFields

/** The operations. */
export type Operations = ReturnType<typeof operationsOf>

/** Makes them. */
export const operationsOf = ({ connectors, connectionAdministration: administration, connectionProbe: probe, lists }: OperationNeeds) => {
  /** The settings of a body: what a document of the provider's says, beneath what is said itself. */
  const settingsOf = async (actor: Actor, { metadata_xml: document, metadata_url: url, settings }: Body, connector: () => Promise<string>) => {
    if (document === undefined && url === undefined) return settings
    return { ...(await probe.readMetadata(actor, { connector: await connector(), document, url })), ...settings }
  }
  return {
    kinds: async () => ({ data: [...connectors.values()].map(toKind) }),
    list: async (query: ListQuery, organizationId?: string) => {
      const list = lists.open(`connections of ${organizationId ?? 'the system'}`, { ...query })
      const page = { limit: list.limit, after: list.after?.[0], isAscending: query.sort === 'created_at' }
      const found = await administration.list({ organizationId, connector: query.connector, isDeleted: query.status === 'deleted' }, page)
      const { data, meta } = list.page({ ...found, cursorOf: connection => [connection.id] })
      return { data: data.map(toConnectionOutput), meta }
    },
    get: async (key: ConnectionKey) => answer(await administration.get(key)),
    create: async (actor: Actor, { organizationId, body }: { organizationId?: string; body: NewBody }) => {
      const settings = await settingsOf(actor, body, async () => body.connector)
      return answer(await administration.create(actor, { ...toChanges(body), settings, connector: body.connector, organizationId }))
    },
    update: async (actor: Actor, { key, body, ifMatch }: { key: ConnectionKey; body: Body; ifMatch: IfMatch }) => {
      const settings = await settingsOf(actor, body, async () => (await administration.get(key)).connector)
      return answer(await administration.update(actor, key, { ...toChanges(body), settings, expect: connection => ifMatch(versionOf(connection)) }))
    },
    remove: async (actor: Actor, { key, ifMatch }: { key: ConnectionKey; ifMatch: IfMatch }) => {
      await administration.remove(actor, key, { expect: connection => ifMatch(versionOf(connection)) })
      return { data: null }
    },
    restore: async (actor: Actor, key: ConnectionKey) => answer(await administration.restore(actor, key)),
    test: async (actor: Actor, key: ConnectionKey) => {
      const findings = await probe.test(actor, key)
      return { data: findings.map(({ check, isGood, detail }) => ({ check, good: isGood, detail: detail ?? null })) }
    },
  }
}

// All that is told: what the environment says of a connection, or of its kind, changes without its row.
const versionOf = (connection: AdministeredConnection) => JSON.stringify(toConnectionOutput(connection))

const answer = (connection: AdministeredConnection) => ({ data: toConnectionOutput(connection), version: versionOf(connection) })

const schema = z.looseObject({ properties: z.record(z.string(), z.json()).default({}) })

const toKind = ({ id, name, settings, secrets, readSettings }: Connector) => ({
  id,
  name,
  settings: z.record(z.string(), z.json()).parse(JSON.parse(JSON.stringify(z.toJSONSchema(settings, { io: 'input', unrepresentable: 'any' })))),
  secrets: Object.keys(schema.parse(z.toJSONSchema(secrets, { io: 'input', unrepresentable: 'any' })).properties),
  reads_metadata: readSettings !== undefined,
})

// What the routes of clients do, wherever they stand: parsed values in, answers out.
import type { z } from 'zod'
import type { Actor } from '../platform/actor.ts'
import { Problem } from '../platform/errors.ts'
import type { Lists } from '../platform/http/list.ts'
import type { IfMatch } from '../platform/http/route.ts'
import type { ClientAdministration, ClientKey } from './administration.ts'
import type { CheckMetadata, Client, ClientChanges } from './client.ts'
import { type newClientBody, toChanges, toClientOutput, toClientSecretOutput, toMetadata } from './client-output.ts'
import type { Clients } from './clients.ts'

/** What the operations need. */
export interface OperationNeeds {
  readonly clients: Clients
  readonly clientAdministration: ClientAdministration
  readonly checkMetadata: CheckMetadata
  readonly lists: Lists
  readonly newId: () => string
  readonly now: () => Date
}

interface ListQuery {
  readonly limit: number
  readonly after?: string | undefined
  readonly sort: string
  readonly organization_id?: string | undefined
  readonly q?: string | undefined
}

/** The operations. */
export type Operations = ReturnType<typeof operationsOf>

/** Makes them. */
export const operationsOf = ({ clients, clientAdministration: administration, checkMetadata, lists, newId, now }: OperationNeeds) => ({
  list: async (query: ListQuery) => {
    const list = lists.open('clients', { ...query })
    const page = { limit: list.limit, after: list.after?.[0], isAscending: query.sort === 'created_at' }
    const { data, meta } = list.page({
      ...(await administration.list({ organizationId: query.organization_id, q: query.q }, page)),
      cursorOf: client => [client.id],
    })
    return { data: data.map(toClientOutput), meta }
  },
  get: async (key: ClientKey) => answer(await administration.get(key)),
  create: async (
    actor: Actor,
    { organizationId, body }: { organizationId?: string | undefined; body: z.output<typeof newClientBody> & { first_party?: boolean | undefined } },
  ) => {
    const { name, token_endpoint_auth_method: authenticationMethod, grant_types: grantTypes } = body
    const clientId = newId()
    const client = { ...toChanges(body), clientId, name, authenticationMethod, grantTypes, organizationId }
    checkMetadata(toMetadata({ clientId }, client))
    const { id, secret } = await clients.create(actor, client)
    const made = await administration.get({ id })
    return { data: { client: toClientOutput(made), secret }, version: made.version }
  },
  update: async (actor: Actor, { key, changes, ifMatch }: { key: ClientKey; changes: ClientChanges; ifMatch: IfMatch }) => {
    const expect = (before: Client) => {
      ifMatch(before.version)
      checkMetadata(toMetadata(before, changes))
    }
    return answer(await administration.update(actor, key, { ...changes, expect }))
  },
  remove: async (actor: Actor, key: ClientKey) => {
    await administration.remove(actor, key)
    return { data: null }
  },
  addSecret: async (actor: Actor, { key, expiresAt: text }: { key: ClientKey; expiresAt?: string | undefined }) => {
    const expiresAt = text === undefined ? undefined : new Date(text)
    if (expiresAt && expiresAt <= now()) throw new Problem('validation_failed', { fields: [{ path: 'expires_at', message: 'must be later than now' }] })
    const { clientSecret, secret } = await administration.addSecret(actor, key, { expiresAt })
    return { data: { client_secret: toClientSecretOutput(clientSecret), secret } }
  },
  revokeSecret: async (actor: Actor, { key, secretId }: { key: ClientKey; secretId: string }) => {
    await administration.revokeSecret(actor, key, secretId)
    return { data: null }
  },
})

const answer = (client: Client) => ({ data: toClientOutput(client), version: client.version })

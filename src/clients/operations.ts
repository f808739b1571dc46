// What the routes of clients do, wherever they stand: parsed values in, answers out.
import type { z } from 'zod'
import type { Images } from '../images/images.ts'
import { type Actor, can } from '../platform/actor.ts'
import { namesOf } from '../platform/data/changed.ts'
import { Problem } from '../platform/errors.ts'
import type { Lists } from '../platform/http/list.ts'
import type { IfMatch } from '../platform/http/route.ts'
import type { ClientAdministration, ClientKey } from './administration.ts'
import type { CheckMetadata, Client, ClientChanges, NewClient } from './client.ts'
import { type newClientBody, type OwnersFields, toChanges, toClientOutput, toClientSecretOutput, toMetadata } from './client-output.ts'
import type { Clients } from './clients.ts'

/** What the operations need. */
export interface OperationNeeds {
  readonly clients: Clients
  readonly clientAdministration: ClientAdministration
  readonly checkMetadata: CheckMetadata
  readonly lists: Lists
  readonly images: Images
  /** What a client of the system may do for itself, what one of an organization, and all there is, which an administrator holds. */
  readonly apiPermissions: { readonly system: readonly string[]; readonly organization: readonly string[]; readonly all: readonly string[] }
  readonly newId: () => string
  readonly now: () => Date
}

interface ListQuery {
  readonly limit: number
  readonly after?: string | undefined
  readonly sort: string
  readonly organization_id?: string | undefined
  readonly q?: string | undefined
  readonly status?: 'active' | 'deleted' | undefined
}

/** The operations. */
export type Operations = ReturnType<typeof operationsOf>

/** Makes them. */
export const operationsOf = ({ clients, clientAdministration: administration, checkMetadata, lists, images, newId, now, apiPermissions }: OperationNeeds) => ({
  list: async (query: ListQuery) => {
    const list = lists.open('clients', { ...query })
    const page = { limit: list.limit, after: list.after?.[0], isAscending: query.sort === 'created_at' }
    const { data, meta } = list.page({
      ...(await administration.list({ organizationId: query.organization_id, q: query.q, isDeleted: query.status === 'deleted' }, page)),
      cursorOf: client => [client.id],
    })
    return { data: data.map(toClientOutput), meta }
  },
  get: async (key: ClientKey) => answer(await administration.get(key)),
  create: async (actor: Actor, { organizationId, body }: { organizationId?: string | undefined; body: z.output<typeof newClientBody> & OwnersFields }) => {
    const { name, token_endpoint_auth_method: authenticationMethod, grant_types: grantTypes } = body
    const clientId = newId()
    const client = { ...toChanges(body), clientId, name, authenticationMethod, grantTypes, organizationId }
    mustBeOfOrganizations(client, apiPermissions.organization)
    mustHold(actor, client, apiPermissions.all)
    checkMetadata(toMetadata({ clientId }, client))
    await images.keepAll(actor, client.branding, 'branding')
    const { id, secret } = await clients.create(actor, client)
    const made = await administration.get({ id })
    return { data: { client: toClientOutput(made), secret }, version: made.version }
  },
  update: async (actor: Actor, { key, changes, ifMatch }: { key: ClientKey; changes: ClientChanges; ifMatch: IfMatch }) => {
    if (namesOf(changes).length === 0) {
      const client = await administration.get(key)
      ifMatch(client.version)
      return answer(client)
    }
    const expect = (before: Client) => {
      ifMatch(before.version)
      mustHoldAll(actor, before)
      const given = { apiPermissions: changes.apiPermissions, organizationId: before.organizationId }
      mustBeOfOrganizations(given, apiPermissions.organization)
      mustHoldAll(actor, given)
      for (const one of [before, { ...before, ...defined(changes) }]) mustHoldWhatIsCarried(actor, one, apiPermissions.all)
      checkMetadata(toMetadata(before, changes))
    }
    await images.keepAll(actor, changes.branding, 'branding')
    return answer(await administration.update(actor, key, { ...changes, expect }))
  },
  remove: async (actor: Actor, key: ClientKey) => {
    await administration.remove(actor, key)
    return { data: null }
  },
  restore: async (actor: Actor, key: ClientKey) => {
    const expect = (before: Client) => mustHold(actor, before, apiPermissions.all)
    return answer(await administration.restore(actor, key, { expect }))
  },
  addSecret: async (actor: Actor, { key, expiresAt: text }: { key: ClientKey; expiresAt?: string | undefined }) => {
    const expiresAt = text === undefined ? undefined : new Date(text)
    if (expiresAt && expiresAt <= now()) throw new Problem('validation_failed', { fields: [{ path: 'expires_at', message: 'must be later than now' }] })
    const expect = (before: Client) => mustHold(actor, before, apiPermissions.all)
    const { clientSecret, secret } = await administration.addSecret(actor, key, { expiresAt, expect })
    return { data: { client_secret: toClientSecretOutput(clientSecret), secret } }
  },
  revokeSecret: async (actor: Actor, { key, secretId }: { key: ClientKey; secretId: string }) => {
    await administration.revokeSecret(actor, key, secretId)
    return { data: null }
  },
})

interface Holder {
  readonly apiPermissions?: readonly string[] | undefined
  readonly organizationId?: string | undefined
}

const mustBeOfOrganizations = ({ apiPermissions = [], organizationId }: Holder, ofOrganization: readonly string[]) => {
  if (organizationId === undefined || apiPermissions.every(name => ofOrganization.includes(name))) return
  throw new Problem('validation_failed', { fields: [{ path: 'api_permissions', message: 'A client of an organization cannot have these.' }] })
}

// Nobody gives a client what they lack, nor takes one over, by a secret or a key of theirs, that may do more than they.
const mustHoldAll = (actor: Actor, { apiPermissions = [], organizationId }: Holder) => {
  if (!apiPermissions.every(name => can(actor, name, organizationId))) throw new Problem('forbidden')
}

/** Throws `forbidden` for a caller who lacks what a client may do for itself, or what people's tokens carry through it. */
const mustHold = (actor: Actor, client: Carrier & Holder, all: readonly string[]) => {
  mustHoldAll(actor, client)
  mustHoldWhatIsCarried(actor, client, all)
}

type Carrier = Pick<NewClient, 'isFirstParty' | 'organizationId' | 'grantTypes' | 'tokenExchange'>

// A first-party app of the system is given an administrator's permissions without a question: only who holds all of them decides
// what it is and where its answers go. The same holds for one that exchanges the tokens of people.
const mustHoldWhatIsCarried = (actor: Actor, { isFirstParty, organizationId, grantTypes, tokenExchange }: Carrier, all: readonly string[]) => {
  const isTrusted = isFirstParty && organizationId === undefined && grantTypes.some(type => ofPeople.has(type))
  if (!isTrusted && !tokenExchange) return
  if (!all.every(name => can(actor, name))) throw new Problem('forbidden')
}

const ofPeople = new Set(['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'])

const defined = (changes: ClientChanges): ClientChanges => Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))

const answer = (client: Client) => ({ data: toClientOutput(client), version: client.version })

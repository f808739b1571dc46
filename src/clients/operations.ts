// What the routes of clients do, wherever they stand: parsed values in, answers out.

import type { z } from 'zod'
import type { Images } from '../images/images.ts'
import { type Actor, can } from '../platform/actor.ts'
import { namesOf } from '../platform/data/changed.ts'
import { Problem } from '../platform/errors.ts'
import type { Lists } from '../platform/http/list.ts'
import type { IfMatch } from '../platform/http/route.ts'
import { strings } from '../platform/values.ts'
import type { ClientAdministration, ClientKey } from './administration.ts'
import { type CheckMetadata, type Client, type ClientChanges, isVouchedFor, type NewClient } from './client.ts'
import { type newClientBody, type OwnersFields, toChanges, toClientOutput, toClientSecretOutput, toMetadata } from './client-output.ts'
import type { Clients } from './clients.ts'
import type { DetailsTypes } from './details-types.ts'
import { cibaGrantType, deviceGrantType } from './grant-types.ts'
import { defaultApplicationType } from './redirect-rules.ts'

/** What the operations need. */
export interface OperationNeeds {
  readonly clients: Clients
  readonly clientAdministration: ClientAdministration
  readonly checkMetadata: CheckMetadata
  readonly detailsTypes: Pick<DetailsTypes, 'know'>
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
export const operationsOf = ({
  clients,
  clientAdministration: administration,
  checkMetadata,
  detailsTypes,
  lists,
  images,
  newId,
  now,
  apiPermissions,
}: OperationNeeds) => ({
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
  create: async (
    actor: Actor,
    { organizationId, body }: { organizationId?: string | undefined; body: z.output<typeof newClientBody> & OwnersFields & AgentFields },
  ) => {
    const { name, token_endpoint_auth_method: authenticationMethod, grant_types: grantTypes } = body
    const clientId = newId()
    const application_type = defaultApplicationType({ method: authenticationMethod, redirectUris: body.redirect_uris })
    const metadata = application_type === 'native' ? { application_type, ...body.metadata } : body.metadata
    const own = { isAgent: body.is_agent, ownerUserId: body.owner_user_id }
    const client = { ...toChanges({ ...body, metadata }), ...own, clientId, name, authenticationMethod, grantTypes, organizationId }
    // A person makes agents of their own by themselves; what others make for them belongs to an organization of theirs.
    if (client.isAgent && organizationId === undefined) throw refused('is_agent', 'An agent belongs to an organization.')
    mustBeSomebodys(client)
    mustBeOfOrganizations(client, apiPermissions.organization)
    mustHaveMembers(client)
    mustHold(actor, client, apiPermissions.all)
    await detailsTypes.know(typesOf(body.metadata))
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
      mustBeOurs(before, changes)
      mustBeSomebodys({ ...before, ...changes })
      mustHoldAll(actor, before)
      const given = { apiPermissions: changes.apiPermissions, organizationId: before.organizationId }
      mustBeOfOrganizations(given, apiPermissions.organization)
      mustHaveMembers({ ...changes, organizationId: before.organizationId })
      mustHoldAll(actor, given)
      for (const one of [before, { ...before, ...defined(changes) }]) mustHoldWhatIsCarried(actor, one, apiPermissions.all)
      checkMetadata(toMetadata(before, changes))
    }
    await images.keepAll(actor, changes.branding, 'branding')
    await detailsTypes.know(typesOf(changes.metadata))
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

const typesOf = ({ authorization_details_types: types }: NewClient['metadata'] = {}): readonly string[] => strings(types)

interface Holder {
  readonly apiPermissions?: readonly string[] | undefined
  readonly organizationId?: string | undefined
}

const mustBeOfOrganizations = ({ apiPermissions = [], organizationId }: Holder, ofOrganization: readonly string[]) => {
  if (organizationId === undefined || apiPermissions.every(name => ofOrganization.includes(name))) return
  throw new Problem('validation_failed', { fields: [{ path: 'api_permissions', message: 'A client of an organization cannot have these.' }] })
}

const mustHaveMembers = ({ isMembersOnly, organizationId }: { readonly isMembersOnly?: boolean | undefined; readonly organizationId?: string | undefined }) => {
  if (isMembersOnly !== true || organizationId !== undefined) return
  throw refused('is_members_only', 'A client of no organization has no members.')
}

interface AgentFields {
  readonly is_agent?: boolean | undefined
  readonly owner_user_id?: string | undefined
}

type Belonging = Pick<NewClient, 'isAgent' | 'isFirstParty' | 'ownerUserId'>

const refused = (path: string, message: string) => new Problem('validation_failed', { fields: [{ path, message }] })

const mustBeSomebodys = ({ isAgent = false, isFirstParty = false, ownerUserId }: Belonging) => {
  if (isAgent && isFirstParty) throw refused('first_party', 'An agent is not one of the operator’s own.')
  if (!isAgent && ownerUserId !== undefined) throw refused('owner_user_id', 'Only an agent has an owner.')
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

// What a document says is changed there. Nobody makes a client of the operator's own out of one that speaks for itself.
const mustBeOurs = ({ source }: Client, changes: ClientChanges) => {
  const names = namesOf(changes)
  if (source === 'document' && names.some(name => name !== 'isDisabled'))
    throw new Problem('validation_failed', {
      fields: [{ path: '', message: 'This client says by a document of its own what it is: it can only be disabled.' }],
    })
  if (!isVouchedFor(source) && changes.isFirstParty)
    throw new Problem('validation_failed', { fields: [{ path: 'first_party', message: 'A client that registered itself is not one of the operator’s own.' }] })
}

const ofPeople = new Set<string>(['authorization_code', deviceGrantType, cibaGrantType])

const defined = (changes: ClientChanges): ClientChanges => Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))

const answer = (client: Client) => ({ data: toClientOutput(client), version: client.version })

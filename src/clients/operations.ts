// What the routes of clients do, wherever they stand: parsed values in, answers out.

import type { z } from 'zod'
import type { Images } from '../images/images.ts'
import { type Actor, can } from '../platform/actor.ts'
import { namesOf } from '../platform/data/changed.ts'
import { Problem } from '../platform/errors.ts'
import type { Lists } from '../platform/http/list.ts'
import type { IfMatch } from '../platform/http/route.ts'
import { strings } from '../platform/values.ts'
import type { ClientAdministration } from './administration.ts'
import { type Holder, mustHold, mustHoldAll, mustHoldCarried, mustHoldWhatIsCarried, takingOver } from './carrying.ts'
import { type CheckMetadata, type Client, type ClientChanges, isVouchedFor, type NewClient } from './client.ts'
import { type newClientBody, type OwnersFields, toChanges, toClientOutput, toClientSecretOutput, toMetadata } from './client-output.ts'
import type { Clients } from './clients.ts'
import type { DetailsTypes } from './details-types.ts'
import { defaultApplicationType } from './redirect-rules.ts'
import { type IsReservedName, nameAlike } from './reserved-names.ts'
import type { ClientKey, Expect } from './sought-client.ts'

/** What the operations need. */
export interface OperationNeeds {
  readonly clients: Clients
  readonly clientAdministration: ClientAdministration
  readonly checkMetadata: CheckMetadata
  readonly detailsTypes: Pick<DetailsTypes, 'know'>
  readonly isReservedName: IsReservedName
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
  isReservedName,
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
    if (client.isAgent && isReservedName(name)) mustNameOurs(actor, apiPermissions.all)
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
    const expect: Expect = async (before, findCarried) => {
      ifMatch(before.version)
      mustBeOurs(before, changes)
      mustBeSomebodys({ ...before, ...defined(changes) })
      mustBePassedOn(before, changes)
      if (before.isAgent && isReservedName(changes.name ?? '')) mustNameOurs(actor, apiPermissions.all)
      mustHoldAll(actor, before)
      const given = { apiPermissions: changes.apiPermissions, organizationId: before.organizationId }
      mustBeOfOrganizations(given, apiPermissions.organization)
      mustHaveMembers({ ...changes, organizationId: before.organizationId })
      mustHoldAll(actor, given)
      for (const one of [before, { ...before, ...defined(changes) }]) mustHoldWhatIsCarried(actor, one, apiPermissions.all)
      if (namesOf(changes).some(name => takingOver.has(name))) mustHoldCarried(actor, { client: before, carried: await findCarried(), names: apiPermissions })
      // What was kept before there was a rule can be disabled all the same.
      if (changes.isDisabled !== true || namesOf(changes).length > 1) checkMetadata(toMetadata(before, changes))
    }
    await images.keepAll(actor, changes.branding, 'branding')
    await detailsTypes.know(typesOf(changes.metadata))
    return answer(await administration.update(actor, key, { ...changes, expect }))
  },
  remove: async (actor: Actor, { key, ifMatch }: { key: ClientKey; ifMatch: IfMatch }) => {
    await administration.remove(actor, key, { expect: ({ version }) => ifMatch(version) })
    return { data: null }
  },
  restore: async (actor: Actor, key: ClientKey) => {
    const expect = (before: Client) => mustHold(actor, before, apiPermissions.all)
    return answer(await administration.restore(actor, key, { expect }))
  },
  addSecret: async (actor: Actor, { key, expiresAt: text }: { key: ClientKey; expiresAt?: string | undefined }) => {
    const expiresAt = text === undefined ? undefined : new Date(text)
    if (expiresAt && expiresAt <= now()) throw new Problem('validation_failed', { fields: [{ path: 'expires_at', message: 'must be later than now' }] })
    const expect: Expect = async (before, findCarried) => {
      mustHold(actor, before, apiPermissions.all)
      mustHoldCarried(actor, { client: before, carried: await findCarried(), names: apiPermissions })
    }
    const { clientSecret, secret } = await administration.addSecret(actor, key, { expiresAt, expect })
    return { data: { client_secret: toClientSecretOutput(clientSecret), secret } }
  },
  revokeSecret: async (actor: Actor, { key, secretId }: { key: ClientKey; secretId: string }) => {
    await administration.revokeSecret(actor, key, secretId)
    return { data: null }
  },
})

const typesOf = ({ authorization_details_types: types }: NewClient['metadata'] = {}): readonly string[] => strings(types)

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

// Only an administrator of the system gives an agent a name of ours.
const mustNameOurs = (actor: Actor, all: readonly string[]) => {
  if (!all.every(name => can(actor, name))) throw nameAlike()
}

const mustBePassedOn = ({ organizationId, ownerUserId: owner }: Client, { ownerUserId }: ClientChanges) => {
  if (ownerUserId !== undefined && ownerUserId !== owner && organizationId === undefined)
    throw refused('owner_user_id', 'Only an agent of an organization passes to another owner.')
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

const defined = (changes: ClientChanges): ClientChanges => Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))

const answer = (client: Client) => ({ data: toClientOutput(client), version: client.version })

// Who may decide about a client: only who holds what it carries.
import { type Actor, can } from '../platform/actor.ts'
import { Problem } from '../platform/errors.ts'
import { isPersonal } from './agent.ts'
import type { Carried } from './carried.ts'
import type { Client, NewClient } from './client.ts'
import { cibaGrantType, deviceGrantType } from './grant-types.ts'

/** What a client may do for itself, and where. */
export interface Holder {
  readonly apiPermissions?: readonly string[] | undefined
  readonly organizationId?: string | undefined
}

/** Throws `forbidden`: nobody gives a client what they lack, nor takes one over, by a secret or a key of theirs, that may do more than they. */
export const mustHoldAll = (actor: Actor, { apiPermissions = [], organizationId }: Holder) => {
  if (!apiPermissions.every(name => can(actor, name, organizationId))) throw new Problem('forbidden')
}

/** Throws `forbidden` for a caller who lacks what a client may do for itself, or what people's tokens carry through it. */
export const mustHold = (actor: Actor, client: Carrier & Holder, all: readonly string[]) => {
  mustHoldAll(actor, client)
  mustHoldWhatIsCarried(actor, client, all)
}

type Carrier = Pick<NewClient, 'isFirstParty' | 'organizationId' | 'grantTypes' | 'tokenExchange'>

/**
 * Throws `forbidden`: a first-party app of the system is given an administrator's permissions without a question, so only who holds all of
 * them decides what it is and where its answers go. The same holds for one that exchanges the tokens of people.
 */
export const mustHoldWhatIsCarried = (actor: Actor, { isFirstParty, organizationId, grantTypes, tokenExchange }: Carrier, all: readonly string[]) => {
  const isTrusted = isFirstParty && organizationId === undefined && grantTypes.some(type => ofPeople.has(type))
  if (!isTrusted && !tokenExchange) return
  if (!all.every(name => can(actor, name))) throw new Problem('forbidden')
}

/** Whoever changes these may have what the client has. */
export const takingOver = new Set<string>([
  'authenticationMethod',
  'grantTypes',
  'responseTypes',
  'redirectUris',
  'isPkceRequired',
  'securityProfile',
  'metadata',
  'ownerUserId',
])

interface TakenOver {
  readonly client: Client
  readonly carried: Carried
  readonly names: { readonly organization: readonly string[]; readonly all: readonly string[] }
}

/**
 * Throws `forbidden` for who would take a client over that carries more than they hold. A person's own agent acts in their name: only who may
 * do everything decides for them. What a resource server lists a client for, they could list another for; an organization's administrators
 * decide for its own. What people granted on our own API they hold themselves, of an organization's client what it is worth there.
 */
export const mustHoldCarried = (actor: Actor, { client, carried, names }: TakenOver) => {
  const { organizationId } = client
  const known = organizationId === undefined ? names.all : names.organization
  const isHeld =
    (!isPersonal(client) || names.all.every(name => can(actor, name))) &&
    carried.listedBy.every(owner => can(actor, 'resource_servers:write', organizationId ?? owner)) &&
    carried.scopes.every(name => !known.includes(name) || can(actor, name, organizationId))
  if (!isHeld) throw new Problem('forbidden')
}

const ofPeople = new Set<string>(['authorization_code', deviceGrantType, cibaGrantType])

// What a client may exchange, and what it gets at the most: always less than, or as much as, what is presented.
//
// Decided: a client's policy says whose tokens it may present, for which resource servers, with and without an actor; without a policy
// it exchanges nothing. Public clients narrow their own tokens where those are, and name no actor. An organization is the person's to choose,
// where a client asks them: what is exchanged has the subject token's, or none. A client's own token is nobody's: it may act,
// and is no subject, for a client that wants another token asks for one. What is presented is bound by what all before it had.
import { errors } from 'oidc-provider'
import { isReading } from '../clients/agent.ts'
import type { Registration } from '../clients/client.ts'
import type { TokenExchangePolicy } from '../clients/token-exchange.ts'
import type { Actor, Issue, Presented } from './exchange.ts'
import { maxAncestors } from './lineage.ts'

/** The exchanging client. */
export interface Exchanger {
  readonly registration: Registration
  readonly policy: TokenExchangePolicy
  readonly isPublic: boolean
}

/** Throws `unauthorized_client` for what the client may not do with any token (RFC 6749 §5.2). */
export const verifyMayExchange = ({ policy, isPublic }: Exchanger, { hasActor }: { readonly hasActor: boolean }): void => {
  if (hasActor ? policy.may_delegate && !isPublic : policy.may_impersonate) return
  throw new errors.UnauthorizedClient(hasActor ? 'this client may not name an actor' : 'this client has to name an actor')
}

/** Throws `invalid_request` for tokens that the policy does not accept (RFC 8693 §2.2.2). */
export const verifyPresented = ({ registration, policy, isPublic }: Exchanger, { subject, actor }: { subject: Presented; actor?: Presented }): void => {
  if (subject.token.kind !== 'AccessToken') throw new errors.InvalidRequest('subject_token is not of a person')
  // §5: whoever holds a token that was issued to another is not its client for that.
  const isOwn = subject.client.clientId === registration.clientId
  const isListed = !isPublic && policy.allowed_clients !== 'own' && policy.allowed_clients.includes(subject.client.clientId)
  if (!isOwn && !isListed) throw new errors.InvalidRequest('subject_token was issued to a client whose tokens are not accepted')
  if (actor && actor.client.clientId !== registration.clientId) throw new errors.InvalidRequest('actor_token was not issued to this client')
  if (actor?.token.extra?.act) throw new errors.InvalidRequest('actor_token names an actor itself')
  const ancestors = (subject.grant?.exchange?.lineage.length ?? 0) + (actor?.grant?.exchange?.lineage.length ?? 0) + (actor ? 2 : 1)
  if (ancestors > maxAncestors) throw new errors.InvalidRequest('the token was exchanged too often')
}

/** Throws `invalid_request` where the subject token names another who may act (RFC 8693 §4.4). */
export const verifyMayAct = (mayAct: unknown, acting: Actor): void => {
  if (mayAct === undefined) return
  const isNamed = typeof mayAct === 'object' && mayAct !== null && 'sub' in mayAct && mayAct.sub === acting.sub
  if (isNamed && (!('client_id' in mayAct) || mayAct.client_id === acting.client_id)) return
  throw new errors.InvalidRequest('subject_token names another who may act')
}

/** The resource server that is asked for; without one, that of the subject token. Throws `invalid_target` (RFC 8693 §2.2.2). */
export const targetOf = ({ resource, audience }: { resource?: unknown; audience?: unknown }, subject: Presented): string | undefined => {
  const named = new Set([resource, audience].flat().filter(one => one !== undefined))
  if (named.size > 1) throw new errors.InvalidTarget('only a single target service is supported')
  const [one] = named
  return typeof one === 'string' ? one : audienceOf(subject)
}

interface Asked {
  readonly target: string | undefined
  /** Those of the target's resource server. */
  readonly targetScopes: ReadonlySet<string>
  readonly scopes: readonly string[] | undefined
  /** Our own API. */
  readonly apiIdentifier: string
  /** Whether a person's own agent had the token before: it reads our own API, and so does whoever has it of one. */
  readonly isReader: boolean
}

/** The scope of what is issued. Throws `invalid_target` for a target that is not the client's, `invalid_scope` for more than may be. */
export const scopeOf = (exchanger: Exchanger, subject: Presented, asked: Asked): Issue['scope'] => {
  const { target, scopes, apiIdentifier } = asked
  const { registration } = exchanger
  const organizations = organizationsOf(subject)
  // Over the API a token of an organization's client is worth what the person may do in that organization alone.
  if (target === apiIdentifier && organizations.some(id => id !== registration.organizationId)) throw new errors.InvalidTarget()
  const most = readable(mostOf(exchanger, subject, asked), target === apiIdentifier && asked.isReader)
  const given = scopes ?? byDefault(most, subject)
  const beyond = given.filter(scope => !most.has(scope))
  if (beyond.length > 0) throw new errors.InvalidScope('requested scope exceeds what may be given', beyond.join(' '))
  const isNamed = exchanger.policy.audiences.some(({ identifier, scopes: listed }) => identifier === target && listed.length > 0)
  if (given.length === 0 && isNamed && target !== audienceOf(subject)) throw new errors.InvalidScope('nothing may be given at the target', '')
  return given.join(' ')
}

// Unasked, by name what the token has, and where nothing there has such a name all that it may be given.
const byDefault = (most: ReadonlySet<string>, { token }: Presented): readonly string[] => {
  const held = [...both([...token.scopes], most)]
  return held.length > 0 ? held : [...most]
}

const readable = (scopes: ReadonlySet<string>, isReader: boolean) => (isReader ? new Set([...scopes].filter(isReading)) : scopes)

const mostOf = ({ registration, policy, isPublic }: Exchanger, subject: Presented, { target, targetScopes }: Asked): ReadonlySet<string> => {
  const held = [...subject.token.scopes]
  const isSame = target === audienceOf(subject)
  // Without a resource server there is userinfo, and no access to it while the person is away.
  if (target === undefined) return new Set(held.filter(scope => scope !== 'offline_access'))
  if (isSame && subject.client.clientId === registration.clientId) return both(held, targetScopes)
  const listed = policy.audiences.find(({ identifier }) => identifier === target)
  if (!listed || (isPublic && !isSame)) throw new errors.InvalidTarget()
  const ceiling = isSame ? undefined : ceilingsAt(subject)[target]
  return both(words(ceiling ?? subject.token.scope), both(listed.scopes, targetScopes))
}

// Of the client's own token what the person granted it by resource server, of an exchanged one what each token of its descent had there: whoever
// narrows a token before it is handed on narrows all that comes of it. At a resource server that is not among them the token is worth the names
// that it has: what nobody granted no exchange makes.
const ceilingsAt = ({ grant }: Presented): Readonly<Record<string, string>> => grant?.exchange?.ceilings ?? grant?.resources ?? {}

/** What every later token of this descent may have at the most, by resource server. */
export const ceilingsOf = ({ token, grant }: Presented): Readonly<Record<string, string>> => ({
  ...grant?.exchange?.ceilings,
  ...(typeof token.aud === 'string' ? { [token.aud]: token.scope ?? '' } : {}),
})

/** The organizations of the clients that a token passed through. */
export const organizationsOf = ({ client, grant }: Presented): readonly string[] => [
  ...new Set([...(client.organizationId === undefined ? [] : [client.organizationId]), ...(grant?.exchange?.organizations ?? [])]),
]

const audienceOf = ({ token }: Presented): string | undefined => (typeof token.aud === 'string' ? token.aud : token.aud?.[0])

const both = (scopes: readonly string[], others: ReadonlySet<string>) => new Set(scopes.filter(scope => others.has(scope)))

const words = (scope: string | undefined) => (scope ?? '').split(' ').filter(Boolean)

// The grants that a session has begun, one for each client and organization: the engine knows one for each client.
//
// `authorizations[client_id]` is the engine's: its `grantId` is that of the latest request. Beside it stands an entry
// `<client_id> <organization's id, or ->`, whose `grantId` is that of the client and organization. What is bound to the session
// lives while its grant is any of these. Entries are merged one by one when sessions are kept, so requests for two organizations
// that end together keep both.
import type Provider from 'oidc-provider'
import { hashOf } from '../platform/secrets.ts'

/** A grant by what it is for. */
export interface GrantFor {
  readonly clientId: string
  /** Absent: none. */
  readonly organizationId?: string | undefined
}

interface Authorization {
  grantId?: string | undefined
}

/** What of a session matters here. */
interface SessionLike {
  readonly uid: string
  readonly accountId?: string | undefined
  authorizations?: Record<string, Authorization> | undefined
}

const keyOf = ({ clientId, organizationId = '-' }: GrantFor) => `${clientId} ${organizationId}`

/** The id of the grant that the session has for this; the engine's own of sessions that are older than these entries. */
export const grantIdOf = ({ authorizations }: SessionLike, wanted: GrantFor): string | undefined =>
  authorizations?.[keyOf(wanted)]?.grantId ?? authorizations?.[wanted.clientId]?.grantId

/** Notes the grant of this. */
export const noteGrant = (session: SessionLike, given: GrantFor & { readonly grantId: string }): void => {
  session.authorizations ??= {}
  session.authorizations[keyOf(given)] = { grantId: given.grantId }
}

/** Whether the session has begun this grant for the client, whatever it is for. {@link isGrantIn} asks the same of a row. */
export const hasGrant = (
  { authorizations = {} }: Pick<SessionLike, 'authorizations'>,
  { clientId, grantId }: { clientId: string | undefined; grantId: string | undefined },
): boolean =>
  clientId !== undefined &&
  Object.hasOwn(authorizations, clientId) &&
  Object.entries(authorizations).some(([key, entry]) => entry.grantId === grantId && (key === clientId || isOf(key, clientId)))

/** As {@link hasGrant}, in the database: the client is in the session by its own entry, and has the grant by that or by one of an organization. */
export const isGrantIn = ({ authorizations, client, grant }: Readonly<Record<'authorizations' | 'client' | 'grant', string>>) =>
  `(${authorizations} ? ${client} AND EXISTS (SELECT 1 FROM jsonb_each(${authorizations}) entry WHERE entry.value ->> 'grantId' = ${grant}
     AND (entry.key = ${client} OR (starts_with(entry.key, ${client} || ' ') AND substr(entry.key, length(${client}) + 2) ~ '^${ofOrganization}'))))`

/** The authorizations without the entries of clients that were signed out. */
export const withoutOrphans = <Entry>(authorizations: Readonly<Record<string, Entry>>): Record<string, Entry> =>
  Object.fromEntries(Object.entries(authorizations).filter(([key]) => !suffix.test(key) || key.replace(suffix, '') in authorizations))

/** The id of a new grant: requests of one session that begin together begin the same one, also in the place of one that ended. */
export const newGrantId = ({ uid, accountId }: SessionLike, { clientId, organizationId }: GrantFor, replaced?: string): string => {
  const parts = [uid, accountId, clientId, ...(organizationId === undefined && replaced === undefined ? [] : [organizationId ?? '', replaced ?? ''])]
  return hashOf('Grant', parts.join('\0')).toString('base64url')
}

/** The id of the grant that takes the place of what the session has for this. */
export const nextGrantId = (session: SessionLike, wanted: GrantFor): string => newGrantId(session, wanted, session.authorizations?.[keyOf(wanted)]?.grantId)

const ofOrganization = '([0-9a-f-]{36}|-)$'
const suffix = new RegExp(` ${ofOrganization}`)

const isOf = (key: string, clientId: string) => suffix.test(key) && key.replace(suffix, '') === clientId

interface Bound {
  readonly expiresWithSession?: boolean
  readonly sessionUid?: string
  readonly accountId?: string
  readonly clientId?: string
  readonly grantId?: string
}

interface Model {
  find(value: string, options?: { ignoreSessionBinding?: boolean }): Promise<Bound | undefined>
}

/** Has the engine hold what is bound to a session to any of its grants, not to the latest alone. Call once for each engine. */
export const bindToSessionGrants = (provider: Provider): void => {
  const { AccessToken, AuthorizationCode, RefreshToken, DeviceCode, BackchannelAuthenticationRequest } = provider
  for (const model of [AccessToken, AuthorizationCode, RefreshToken, DeviceCode, BackchannelAuthenticationRequest] as unknown as Model[]) {
    const find = model.find.bind(model)
    model.find = async (value, options) => {
      const token = await find(value, { ...options, ignoreSessionBinding: true })
      if (!token?.expiresWithSession || options?.ignoreSessionBinding === true) return token
      const session = await provider.Session.findByUid(token.sessionUid ?? '')
      return session && session.accountId === token.accountId && hasGrant(session, { clientId: token.clientId, grantId: token.grantId }) ? token : undefined
    }
  }
}

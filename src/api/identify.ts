// Who is calling the API: a session token, an API key, an app's access token or a browser's session, each turned into an Actor.
import type { Context } from 'koa'
import { apiKeyPrefix } from '../api-keys/api-key.ts'
import type { ApiKeys } from '../api-keys/api-keys.ts'
import { multiFactor } from '../mfa/authenticator.ts'
import type { Actor, Membership } from '../platform/actor.ts'
import { Problem } from '../platform/errors.ts'
import { requestOf } from '../platform/http/asker.ts'
import type { Identify } from '../platform/http/mount.ts'
import { acceptedRanges } from '../platform/language-ranges.ts'
import type { Languages } from '../platform/languages.ts'
import type { ApiSessions } from '../sessions/api-sessions.ts'
import { sessionTokenPrefix } from '../sessions/session.ts'
import type { IdentifyBrowser } from './browser.ts'
import { clientPermissions, machinePermissions, organizationPermissions } from './permissions.ts'
import { narrowed, type Standing, type Standings, shared } from './standing.ts'

/** What an access token of ours says, once its signature, audience, client and grant were verified. */
export interface VerifiedAccessToken {
  readonly clientId: string
  /** Absent: the client asks for itself. */
  readonly userId?: string
  readonly scopes: readonly string[]
  /** The client's `api_permissions`, which its administrators give it; only they count where it asks for itself. */
  readonly registeredScopes: readonly string[]
  readonly isFirstParty: boolean
  readonly organizationId?: string
  /** Whether people who are no members of the client's organization are refused. */
  readonly isMembersOnly: boolean
  /** The agent by which the person acts, as its `client_id`. */
  readonly agentId?: string | undefined
  /** The one organization that the token is for. */
  readonly boundTo?: string
  /** Whether the token says that its person proved two factors (RFC 9470 §6). */
  readonly hasTwoFactors: boolean
}

/** Verifies an access token for the API; answers `undefined` for whatever is wrong with it. */
export type VerifyAccessToken = (token: string) => Promise<VerifiedAccessToken | undefined>

interface Needs {
  readonly apiSessions: Pick<ApiSessions, 'see'>
  readonly apiKeys: ApiKeys
  readonly standings: Standings
  readonly verifyAccessToken: VerifyAccessToken
  readonly identifyBrowser: IdentifyBrowser
  readonly languages: Pick<Languages, 'choose'>
}

type Caller = Omit<Actor, 'requestId' | 'ip' | 'userAgent' | 'language'>

const nobody: Caller = { kind: 'anonymous', permissions: new Set() }
const ofMachines: ReadonlySet<string> = new Set(machinePermissions)
const bearer = /^Bearer +([\x21-\x7e]{1,8192})$/i

/** Makes it. Throws `unauthenticated` for credentials that are wrong, whatever is wrong with them. */
export const createIdentify = (needs: Needs): Identify => {
  const ways = { session: bySession(needs), key: byKey(needs), token: byAccessToken(needs) }
  return async ctx => {
    const authorization = ctx.get('Authorization')
    if (authorization === '') return { ...((await byBrowser(needs, ctx)) ?? nobody), ...askedIn(needs, ctx) }
    const credential = bearer.exec(authorization)?.[1]
    const caller = credential === undefined ? undefined : await ways[kindOf(credential)](credential)
    if (!caller) throw new Problem('unauthenticated')
    return { ...caller, ...askedIn(needs, ctx) }
  }
}

const kindOf = (credential: string) => {
  if (credential.startsWith(sessionTokenPrefix)) return 'session'
  return credential.startsWith(apiKeyPrefix) ? 'key' : 'token'
}

const askedIn = ({ languages }: Needs, ctx: Context) => {
  const accepted = ctx.get('Accept-Language')
  return { ...requestOf(ctx), language: accepted ? languages.choose(acceptedRanges(accepted)).tag : undefined }
}

const bySession =
  ({ apiSessions, standings }: Needs) =>
  async (token: string): Promise<Caller | undefined> => {
    const found = await standings.findByToken(token)
    if (!found) return undefined
    const { sid, userId, isStale, standing } = found
    if (isStale) await apiSessions.see(sid)
    return { kind: 'user', id: userId, userId, sessionId: sid, ...standing }
  }

const byBrowser = async ({ identifyBrowser, standings }: Needs, ctx: Context): Promise<Caller | undefined> => {
  const page = await identifyBrowser(ctx)
  if (!page) return undefined
  const { sid, userId, amr } = page.session
  const standing = await standings.find({ userId, hasTwoFactors: amr.includes(multiFactor) })
  return standing && { kind: 'user', id: userId, userId, sessionId: sid, ...standing }
}

const byKey =
  ({ apiKeys }: Needs) =>
  async (key: string): Promise<Caller | undefined> => {
    const found = await apiKeys.findByKey(key)
    if (!found) return undefined
    return machine({ kind: 'api_key', id: found.id, organizationId: found.organizationId, permissions: new Set(found.permissions) })
  }

const byAccessToken =
  ({ verifyAccessToken, standings }: Needs) =>
  async (token: string): Promise<Caller | undefined> => {
    const verified = await verifyAccessToken(token)
    if (!verified) return undefined
    const { clientId, userId, scopes, registeredScopes, isFirstParty, organizationId, isMembersOnly, agentId, boundTo, hasTwoFactors } = verified
    const tokenScopes = new Set(scopes)
    if (userId !== undefined) {
      const standing = await standings.find({ userId, hasTwoFactors })
      const needed = [boundTo, isMembersOnly ? organizationId : undefined]
      // Who is no member any more has no token for it, whatever it says.
      if (!standing || needed.some(id => id !== undefined && !standing.memberships.has(id))) return undefined
      const agent = agentId === undefined ? {} : { agentId }
      return { kind: 'user', id: userId, userId, tokenScopes, ...agent, ...narrowed(within(boundTo, within(organizationId, standing)), tokenScopes) }
    }
    // Whoever registers a client names its scopes: for itself it gets what its operator or its organization could give.
    const permissions = shared(tokenScopes, new Set(registeredScopes))
    if (organizationId !== undefined) return { ...machine({ kind: 'client', id: clientId, organizationId, permissions }), tokenScopes }
    return { ...machine({ kind: 'client', id: clientId, permissions: isFirstParty ? permissions : new Set() }), tokenScopes }
  }

// Whoever administers an organization decides where the answers of its clients go: for a person they carry what the person may do
// in that organization, and nothing of any other or of the system. So does a token that is for one organization.
const within = (organizationId: string | undefined, standing: Standing): Standing =>
  organizationId === undefined
    ? standing
    : { ...standing, permissions: new Set(), memberships: new Map([...standing.memberships].filter(([id]) => id === organizationId)) }

// A machine of an organization has its permissions there alone: a key what its maker had, a client at most what an administrator
// has. What only people may have it never has.
const machine = ({ organizationId, permissions: given, ...caller }: Pick<Actor, 'kind' | 'id' | 'organizationId' | 'permissions'>): Caller => {
  const permissions = shared(given, ofMachines)
  if (organizationId === undefined) return { ...caller, permissions }
  const membership: Membership = {
    role: caller.kind,
    permissions: shared(permissions, caller.kind === 'client' ? clientPermissions : organizationPermissions('owner')),
  }
  return { ...caller, organizationId, permissions: new Set(), memberships: new Map([[organizationId, membership]]) }
}

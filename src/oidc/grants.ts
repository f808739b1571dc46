// What a user has granted a client: remembered beyond one session, and given unasked to the operator's own clients.
import type { Grant, KoaContextWithOIDC } from 'oidc-provider'
import type { Registration } from '../clients/client.ts'
import type { Clients } from '../clients/clients.ts'
import type { PostgresArtifacts } from './artifacts-postgres.ts'
import { type AskedOrganizations, keepChoice } from './asked-organization.ts'
import { toNewGrant } from './grant-in-change.ts'
import { lifetimes } from './lifetimes.ts'
import { throwTranslated } from './problems.ts'
import { provenAtOf } from './proven-at.ts'
import { type GrantFor, grantIdOf, newGrantId, noteGrant } from './session-grants.ts'

interface Needs {
  readonly durable: PostgresArtifacts
  readonly clients: Clients
  readonly askedOrganizations: AskedOrganizations
  readonly apiIdentifier: string
}

/**
 * Makes the engine's `loadExistingGrant`. Each session has a grant of its own for each organization that it asked tokens for, and
 * one for none, begun from what the user granted the client there before: a replay (RFC 9700 §4.14) or a revocation in one
 * browser ends nothing in another, and consent given in one organization is none in another.
 */
export const createLoadGrant =
  (needs: Needs) =>
  (ctx: KoaContextWithOIDC): Promise<Grant | undefined> =>
    load(ctx, needs).catch(throwTranslated)

const load = async (ctx: KoaContextWithOIDC, { durable, clients, askedOrganizations, apiIdentifier }: Needs): Promise<Grant | undefined> => {
  const { client, session, provider, result } = ctx.oidc
  const accountId = session?.accountId
  if (!client || !accountId) return undefined
  const { clientId } = client
  const asked = await askedOrganizations.find(ctx)
  // The policy asks or refuses: no grant is for nobody knows which.
  if (asked.kind === 'undecided' || asked.kind === 'refused') return undefined
  const wanted: GrantFor = { clientId, organizationId: asked.kind === 'one' ? asked.membership.organizationId : undefined }
  keepChoice(ctx)
  const unasked = unaskedFor(await clients.find(clientId), apiIdentifier)
  const noted = result?.consent?.grantId ?? grantIdOf(session, wanted)
  const found = noted ? await provider.Grant.find(noted) : undefined
  const isOther = found !== undefined && found.organizationId !== wanted.organizationId
  const own = isOther ? undefined : found
  if (own && own.accountId !== accountId) return undefined
  const grant = own
    ? await grownFor(ctx, { grant: own, unasked })
    : await begin(ctx, { durable, accountId, wanted, unasked, replaced: isOther ? undefined : noted })
  if (!grant) return undefined
  noteGrant(session, { ...wanted, grantId: grant.jti })
  return grant
}

// Beyond so many that ended in one session, requests that begin together begin one each.
const maxEnded = 4

interface Beginning {
  readonly durable: PostgresArtifacts
  readonly accountId: string
  readonly wanted: GrantFor
  readonly unasked: Unasked | undefined
  /** The grant that ended. */
  readonly replaced?: string | undefined
}

const begin = async (ctx: KoaContextWithOIDC, { durable, accountId, wanted, unasked, replaced }: Beginning): Promise<Grant | undefined> => {
  const { session, provider } = ctx.oidc
  const rememberedId = await durable.findGrant({ accountId, ...wanted })
  const remembered = rememberedId ? await provider.Grant.find(rememberedId) : undefined
  if (!session || (!remembered && !unasked)) return undefined
  const make = (jti?: string) => {
    const grant = new provider.Grant({ accountId, clientId: wanted.clientId })
    if (jti !== undefined) grant.jti = jti
    grant.sessionUid = session.uid
    if (wanted.organizationId !== undefined) grant.organizationId = wanted.organizationId
    if (remembered) copy(remembered, grant)
    if (unasked) addAsked(ctx, { grant, unasked })
    return grant
  }
  const at = { uid: session.uid, provenAt: provenAtOf(session.loginTs) }
  const keep = async (grant: Grant) => durable.putGrant(await toNewGrant(provider, grant), at)
  let grant = make(newGrantId(session, wanted, replaced))
  // One of that id may have ended, and the session know of it no more since the client was signed out: another takes its place.
  for (let ended = 1; !(await keep(grant)) && ended <= maxEnded; ended += 1) grant = make(ended < maxEnded ? newGrantId(session, wanted, grant.jti) : undefined)
  return grant
}

/**
 * Whether revoking ends the grant and all that was issued under it. Not for one access token (RFC 7009 §2.1), and not on
 * signing out: what is bound to the session ends with it, offline access lives on, and consent is remembered by the grant.
 */
export const endsGrant = ({ oidc }: KoaContextWithOIDC): boolean =>
  oidc.route !== 'end_session_confirm' && !(oidc.route === 'revocation' && oidc.entities.AccessToken !== undefined)

const copy = (from: Grant, to: Grant) => {
  to.addOIDCScope(from.getOIDCScope())
  to.addOIDCClaims(from.getOIDCClaims())
  for (const indicator of Object.keys(from.resources ?? {})) to.addResourceScope(indicator, from.getResourceScope(indicator))
}

/** Whether a resource's scopes are given without asking the person. */
type Unasked = (indicator: string) => boolean

// Of the operator's own clients those that an organization administers are not trusted with the management API: whoever may edit
// one could have a token of anybody who is signed in.
const unaskedFor = (client: Registration | undefined, apiIdentifier: string): Unasked | undefined =>
  client?.isFirstParty ? indicator => client.organizationId === undefined || indicator !== apiIdentifier : undefined

const grownFor = async (ctx: KoaContextWithOIDC, { grant, unasked }: { grant: Grant; unasked: Unasked | undefined }) => {
  const before = JSON.stringify([grant.openid, grant.resources])
  if (unasked) addAsked(ctx, { grant, unasked })
  if (before !== JSON.stringify([grant.openid, grant.resources])) await grant.save()
  return prolonged(grant)
}

// A first-party client is granted what it asks for, no more.
const addAsked = (ctx: KoaContextWithOIDC, { grant, unasked }: { grant: Grant; unasked: Unasked }) => {
  grant.addOIDCScope([...ctx.oidc.requestParamOIDCScopes].join(' '))
  grant.addOIDCClaims([...ctx.oidc.requestParamClaims])
  for (const [indicator, server] of Object.entries(ctx.oidc.resourceServers ?? {})) {
    const scopes = [...ctx.oidc.requestParamScopes].filter(scope => server.scopes.has(scope))
    if (scopes.length > 0 && unasked(indicator)) grant.addResourceScope(indicator, scopes.join(' '))
  }
}

// A grant must outlive every refresh token issued under it: saved again while a whole token's lifetime is left.
const prolonged = async (grant: Grant): Promise<Grant> => {
  if (grant.exp !== undefined && grant.remainingTTL < lifetimes.refreshTokenAbsolute) {
    grant.exp = undefined
    await grant.save()
  }
  return grant
}

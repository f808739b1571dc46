// What a user has granted a client: remembered beyond one session, and given unasked to the operator's own clients.
import type { Grant, KoaContextWithOIDC } from 'oidc-provider'
import type { Registration } from '../clients/client.ts'
import type { Clients } from '../clients/clients.ts'
import { hashOf } from '../platform/secrets.ts'
import type { PostgresArtifacts } from './artifacts-postgres.ts'
import { lifetimes } from './lifetimes.ts'

/**
 * Makes the engine's `loadExistingGrant`. Each session has a grant of its own, begun from what the user granted the client
 * before: a replay (RFC 9700 §4.14) or a revocation in one browser ends nothing in another.
 */
export const createLoadGrant =
  ({ durable, clients, apiIdentifier }: { durable: PostgresArtifacts; clients: Clients; apiIdentifier: string }) =>
  async (ctx: KoaContextWithOIDC): Promise<Grant | undefined> => {
    const { client, session, provider, result } = ctx.oidc
    const accountId = session?.accountId
    if (!client || !accountId) return undefined
    const { clientId } = client
    const unasked = unaskedFor(await clients.find(clientId), apiIdentifier)
    const known = result?.consent?.grantId ?? session.grantIdFor(clientId)
    const own = known ? await provider.Grant.find(known) : undefined
    if (own) return own.accountId === accountId ? given(ctx, { grant: own, unasked }) : undefined
    const remembered = await findStored(ctx, { durable, accountId, clientId })
    if (!remembered && !unasked) return undefined
    const grant = new provider.Grant({ accountId, clientId })
    // Requests of one session that begin together begin the same grant.
    if (known === undefined) grant.jti = hashOf('Grant', `${session.uid}\0${accountId}\0${clientId}`).toString('base64url')
    if (remembered) copy(remembered, grant)
    return given(ctx, { grant, unasked, isNew: true })
  }

/**
 * Whether revoking ends the grant and all that was issued under it. Not for one access token (RFC 7009 §2.1), and not on
 * signing out: what is bound to the session ends with it, offline access lives on, and consent is remembered by the grant.
 */
export const endsGrant = ({ oidc }: KoaContextWithOIDC): boolean =>
  oidc.route !== 'end_session_confirm' && !(oidc.route === 'revocation' && oidc.entities.AccessToken !== undefined)

const findStored = async (ctx: KoaContextWithOIDC, { durable, accountId, clientId }: { durable: PostgresArtifacts; accountId: string; clientId: string }) => {
  const grantId = await durable.findGrant(accountId, clientId)
  return grantId ? ctx.oidc.provider.Grant.find(grantId) : undefined
}

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

const given = async (ctx: KoaContextWithOIDC, { grant, unasked, isNew = false }: { grant: Grant; unasked: Unasked | undefined; isNew?: boolean }) => {
  const before = JSON.stringify([grant.openid, grant.resources])
  if (unasked) addAsked(ctx, { grant, unasked })
  if (isNew || before !== JSON.stringify([grant.openid, grant.resources])) await grant.save()
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

// What a user has granted a client: remembered beyond one session, and given unasked to the operator's own clients.
import Provider, { type Configuration, type Grant, type KoaContextWithOIDC } from 'oidc-provider'
import type { Clients } from '../clients/clients.ts'
import type { PostgresArtifacts } from './artifacts-postgres.ts'
import { lifetimes } from './lifetimes.ts'

/** Makes the engine's `loadExistingGrant`. */
export const createLoadGrant =
  ({ durable, clients }: { durable: PostgresArtifacts; clients: Clients }) =>
  async (ctx: KoaContextWithOIDC): Promise<Grant | undefined> => {
    const { client, session, provider, result } = ctx.oidc
    const accountId = session?.accountId
    if (!client || !accountId) return undefined
    const known = result?.consent?.grantId ?? session.grantIdFor(client.clientId)
    const grant = (known ? await provider.Grant.find(known) : undefined) ?? (await findStored(ctx, { durable, accountId, clientId: client.clientId }))
    if (grant && grant.accountId !== accountId) return undefined
    const isFirstParty = (await clients.find(client.clientId))?.isFirstParty ?? false
    return isFirstParty ? grantAll(ctx, grant ?? new provider.Grant({ accountId, clientId: client.clientId })) : prolonged(grant)
  }

/**
 * Whether the engine is ending a session. What is bound to that session ends with it and needs no revoking; the grant is
 * also what consent is remembered by, and what the user's other browsers and offline access live under.
 */
export const isSigningOut = (): boolean => Provider.ctx?.oidc?.route === 'end_session_confirm'

/** Whether revoking what was issued ends the grant too: not for one access token (RFC 7009 §2.1), and not on signing out. */
export const revokeGrantPolicy: NonNullable<Configuration['revokeGrantPolicy']> = ctx =>
  !isSigningOut() && !(ctx.oidc.route === 'revocation' && ctx.oidc.entities.AccessToken !== undefined)

const findStored = async (ctx: KoaContextWithOIDC, { durable, accountId, clientId }: { durable: PostgresArtifacts; accountId: string; clientId: string }) => {
  const grantId = await durable.findGrant(accountId, clientId)
  return grantId ? ctx.oidc.provider.Grant.find(grantId) : undefined
}

// A first-party client is granted what it asks for, no more; a grant that covers it is not written again.
const grantAll = async (ctx: KoaContextWithOIDC, grant: Grant): Promise<Grant> => {
  const before = JSON.stringify([grant.openid, grant.resources])
  grant.addOIDCScope([...ctx.oidc.requestParamOIDCScopes].join(' '))
  grant.addOIDCClaims([...ctx.oidc.requestParamClaims])
  for (const [indicator, server] of Object.entries(ctx.oidc.resourceServers ?? {})) {
    const scopes = [...ctx.oidc.requestParamScopes].filter(scope => server.scopes.has(scope))
    if (scopes.length > 0) grant.addResourceScope(indicator, scopes.join(' '))
  }
  if (before !== JSON.stringify([grant.openid, grant.resources])) await grant.save()
  return (await prolonged(grant)) ?? grant
}

// A grant must outlive every refresh token issued under it: saved again while a whole token's lifetime is left.
const prolonged = async (grant: Grant | undefined): Promise<Grant | undefined> => {
  if (grant?.exp !== undefined && grant.remainingTTL < lifetimes.refreshTokenAbsolute) {
    grant.exp = undefined
    await grant.save()
  }
  return grant
}

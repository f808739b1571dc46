// What access tokens say beyond the engine's own claims: each concern adds its part.
import type { AccessToken, ClientCredentials, KoaContextWithOIDC } from 'oidc-provider'

type Claims = Record<string, unknown> | undefined

/**
 * The claims of one concern for a token that is about to be issued; `undefined`: none. Who need not wait for them says so at once, and
 * throws nothing at once: the others have begun.
 */
export type TokenClaims = (ctx: KoaContextWithOIDC, token: AccessToken | ClientCredentials) => Promise<Claims> | Claims

/** Puts the concerns together into the engine's `extraTokenClaims`. Two concerns that say the same claim are a bug, and are told. */
export const composeTokenClaims =
  (concerns: readonly TokenClaims[]) =>
  async (ctx: KoaContextWithOIDC, token: AccessToken | ClientCredentials): Promise<Claims> => {
    const told: Record<string, unknown> = {}
    for (const claims of await Promise.all(concerns.map(concern => concern(ctx, token)).filter(claims => claims !== undefined))) {
      for (const [name, value] of Object.entries(claims ?? {})) {
        if (name in told) throw new Error(`two concerns tell the claim ${name}`)
        told[name] = value
      }
    }
    return Object.keys(told).length > 0 ? told : undefined
  }

/** What a person's token is issued out of: it knows how they signed in. */
export const sourceOf = ({ entities }: KoaContextWithOIDC['oidc']) => {
  const { AuthorizationCode, RefreshToken, DeviceCode, BackchannelAuthenticationRequest } = entities
  return RefreshToken ?? AuthorizationCode ?? DeviceCode ?? BackchannelAuthenticationRequest
}

/** RFC 9470 §6, RFC 9068 §2.2.1: a resource server learns from the token how and when the person signed in. */
export const authenticationClaims: TokenClaims = (ctx, token) => {
  if (token.kind !== 'AccessToken') return undefined
  const source = sourceOf(ctx.oidc)
  return source && { acr: source.acr, amr: source.amr, auth_time: source.authTime }
}

// The JWT bearer grant (RFC 7523 §2.1): a service account's assertion about itself, for the token that client credentials would give it.
import type { KoaContextWithOIDC } from 'oidc-provider'
import instance from 'oidc-provider/lib/helpers/weak_cache.js'
import { jwtBearerGrantType } from '../clients/grant-types.ts'
import { type UseUp, verifyAssertion } from './jwt-bearer-assertion.ts'
import type { ExtendEngine } from './provider.ts'
import type { TokenClaims } from './token-claims.ts'

/** The grant, and what happens when its token is kept. */
export interface JwtBearer {
  readonly extend: ExtendEngine
  /** Says nothing: it is asked last of all before a token is kept, and then the assertion is used up. */
  readonly claims: TokenClaims
}

/** Makes it. The engine's own grant of client credentials issues the token, so that whatever holds for that one holds here. */
export const createJwtBearer = ({ now }: { readonly now: () => Date }): JwtBearer => {
  const unused = new WeakMap<object, UseUp>()
  const extend: ExtendEngine = provider => {
    const handle = async (ctx: KoaContextWithOIDC) => {
      const { params } = ctx.oidc
      unused.set(ctx.oidc, await verifyAssertion(ctx, now))
      await as('client_credentials', params, async () => instance(provider).grantTypeHandlers.get('client_credentials')?.(ctx))
    }
    provider.registerGrantType(jwtBearerGrantType, handle, ['assertion', 'scope', 'resource', 'authorization_details'], ['resource'])
  }
  const claims: TokenClaims = ({ oidc }) =>
    unused
      .get(oidc)?.()
      .then(() => undefined)
  return { extend, claims }
}

// Whatever comes after the grant tells of the one that was asked for.
const as = async (grantType: string, params: { grant_type?: unknown } | undefined, work: () => Promise<unknown>) => {
  const asked = params?.grant_type
  if (params) params.grant_type = grantType
  try {
    await work()
  } finally {
    if (params) params.grant_type = asked
  }
}

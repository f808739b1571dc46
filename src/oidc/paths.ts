// The addresses of the protocol, by the engine's names for their routes, and a way to look at some of them alone.
import type { KoaContextWithOIDC } from 'oidc-provider'

/** Where the engine answers, as it is configured. */
export const paths = {
  authorization: '/oauth2/authorize',
  token: '/oauth2/token',
  userinfo: '/oauth2/userinfo',
  jwks: '/oauth2/jwks',
  introspection: '/oauth2/introspect',
  revocation: '/oauth2/revoke',
  pushed_authorization_request: '/oauth2/par',
  device_authorization: '/oauth2/device_authorization',
  backchannel_authentication: '/oauth2/backchannel-authentication',
  registration: '/oauth2/register',
  end_session: '/oauth2/logout',
  code_verification: '/device',
} as const

/** Where a person is asked. */
export const interactionPath = ({ uid }: { readonly uid: string }): string => `/interaction/${uid}`

/** Of discovery (OpenID Connect Discovery §4), and of the same as RFC 8414 has it. */
export const discoveryPaths = ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server'] as const

type Step<Ctx> = (ctx: Ctx, next: () => Promise<unknown>) => Promise<unknown>

/** What stands in the engine before its routes, which are not known yet when it begins. */
export type EngineStep = Step<KoaContextWithOIDC>

/**
 * Has a middleware see the requests of these paths; every other passes it without a turn of waiting, which each would pay for. What the engine
 * would take in another spelling is refused before it (methods.ts).
 */
export const at =
  <Ctx extends { readonly path: string }>(seen: readonly string[], middleware: Step<Ctx>): Step<Ctx> =>
  (ctx, next) =>
    seen.includes(ctx.path) ? middleware(ctx, next) : next()

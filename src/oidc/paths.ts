// The addresses of the protocol that more than one file of ours looks at, and a way to look at some alone.

/** Of discovery (OpenID Connect Discovery §4) and of the same as RFC 8414 has it. */
export const discoveryPaths = ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server'] as const
export const jwksPath = '/oauth2/jwks'
export const tokenPath = '/oauth2/token'
export const registrationPath = '/oauth2/register'

type Step<Ctx> = (ctx: Ctx, next: () => Promise<unknown>) => Promise<unknown>

/**
 * Has a middleware see the requests of these paths; every other passes it without a turn of waiting, which each would pay for. What the engine
 * would take in another spelling is refused before it (methods.ts).
 */
export const at =
  <Ctx extends { readonly path: string }>(paths: readonly string[], middleware: Step<Ctx>): Step<Ctx> =>
  (ctx, next) =>
    paths.includes(ctx.path) ? middleware(ctx, next) : next()

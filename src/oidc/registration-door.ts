// The door of registration where it is open: for pages of every origin, as of MCP clients in a browser, and for who brings no token (RFC 7591 §3).
import type { Middleware } from 'koa'
import type Provider from 'oidc-provider'
import { paths } from './paths.ts'

// The engine asks everybody for an initial access token: this stands for having none. It opens no more than that.
const nobodys = 'nobody'

/** Answers preflights, and lets every origin read the answer: it holds nothing that depends on who the browser belongs to. */
export const createRegistrationDoor =
  (clientRegistration: 'open' | 'token' | 'off'): Middleware =>
  (ctx, next) => {
    if (clientRegistration !== 'open' || ctx.path !== paths.registration) return next()
    ctx.set('Access-Control-Allow-Origin', '*')
    ctx.set('Access-Control-Expose-Headers', 'Retry-After, WWW-Authenticate')
    if (ctx.method === 'POST') ctx.req.headers.authorization ??= `Bearer ${nobodys}`
    if (ctx.method !== 'OPTIONS' || !ctx.get('Access-Control-Request-Method')) return next()
    ctx.set('Access-Control-Allow-Methods', 'POST')
    ctx.set('Access-Control-Allow-Headers', 'Authorization, Content-Type, MCP-Protocol-Version')
    ctx.set('Access-Control-Max-Age', '3600')
    ctx.status = 204
  }

/** Has the engine take who brings no token for somebody nobody vouches for: the policy `open` is theirs, now and at each change. */
export const takeTokenless = (provider: Provider, { clientRegistration }: { readonly clientRegistration: 'open' | 'token' | 'off' }): void => {
  if (clientRegistration !== 'open') return
  const { InitialAccessToken } = provider
  const find = InitialAccessToken.find.bind(InitialAccessToken)
  // Never kept.
  const findOrNobody: typeof find = async (token, ...options) => (token === nobodys ? new InitialAccessToken({ policies: ['open'] }) : find(token, ...options))
  Object.assign(InitialAccessToken, { find: findOrNobody })
}

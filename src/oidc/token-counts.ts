// Counts the tokens that the token endpoint issues, and its refusals.
import type { Context, Middleware } from 'koa'
import { grantTypes } from '../clients/grant-types.ts'
import type { Metrics } from '../platform/metrics/metrics.ts'
import { at, paths } from './paths.ts'

const tokens = ['access_token', 'refresh_token', 'id_token'] as const
const known: ReadonlySet<unknown> = new Set(grantTypes)
const errorCode = /^[a-z_]{1,40}$/

/** Makes what counts; without metrics it lets everything pass. */
export const createTokenCounts = (metrics: Metrics | undefined): Middleware => {
  if (!metrics) return (_ctx, next) => next()
  const issued = metrics.counter({
    name: 'authy2_tokens_issued_total',
    help: 'Tokens that the token endpoint issued.',
    labels: ['grant_type', 'token', 'format'],
  })
  const refused = metrics.counter({
    name: 'authy2_token_errors_total',
    help: 'Requests that the token endpoint refused, by the code of the refusal.',
    labels: ['grant_type', 'error'],
  })
  return at([paths.token], async (ctx: Context, next) => {
    await next()
    const body: unknown = ctx.body
    if (ctx.method !== 'POST' || typeof body !== 'object' || body === null) return
    const grant_type = grantTypeOf(ctx)
    if (ctx.status === 200) {
      for (const token of tokens) {
        const value: unknown = Reflect.get(body, token)
        if (typeof value === 'string') issued({ grant_type, token, format: value.split('.', 3).length === 3 ? 'jwt' : 'opaque' })
      }
    } else {
      const code: unknown = Reflect.get(body, 'error')
      refused({ grant_type, error: typeof code === 'string' && errorCode.test(code) ? code : 'other' })
    }
  })
}

const grantTypeOf = (ctx: Context): string => {
  const given: unknown = ctx.oidc?.params?.grant_type
  return typeof given === 'string' && known.has(given) ? given : 'other'
}

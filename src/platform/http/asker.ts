// Where a request comes from, as an actor tells of it.
import type { Context } from 'koa'
import type { Actor } from '../actor.ts'

const maxUserAgent = 512

/** The half of an actor that is the request's, whoever asks. */
export const requestOf = (ctx: Pick<Context, 'state' | 'ip' | 'get'>): Pick<Actor, 'requestId' | 'ip' | 'userAgent'> => ({
  requestId: ctx.state.requestId,
  ip: ctx.ip,
  userAgent: ctx.get('User-Agent').slice(0, maxUserAgent) || undefined,
})

// Names each request and logs its end: an id from the caller where it is well-formed, else a new one.
import type { Middleware } from 'koa'
import type { Log } from '../log.ts'
import { isUuid } from '../uuid.ts'

const wellFormed = /^[A-Za-z0-9_.-]{8,128}$/

/** Sets `ctx.state.requestId` and `X-Request-Id`; logs method, path (never the query, nor a secret), status and duration. */
export const createRequestLog =
  ({ log, newId }: { log: Log; newId: () => string }): Middleware =>
  async (ctx, next) => {
    const given = ctx.get('X-Request-Id')
    const requestId = wellFormed.test(given) ? given : newId()
    const startedAt = performance.now()
    const { method, path } = ctx
    ctx.state.requestId = requestId
    ctx.set('X-Request-Id', requestId)
    await next()
    if (log.isLevelEnabled('info'))
      log.info(
        { requestId, method, path: loggablePath(path), status: ctx.status, ms: Math.round((performance.now() - startedAt) * 10) / 10, ip: ctx.ip },
        'request',
      )
  }

/** A path without what may be a secret that stands in it, by mistake or as an interaction's id: long parts with digits or capitals that are no UUID. */
export const loggablePath = (path: string): string =>
  path
    .split('/')
    .map(part => (part.length >= 16 && /[\dA-Z%]/.test(part) && !isUuid(part) ? '[…]' : part))
    .join('/')

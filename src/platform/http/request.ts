// Names each request and logs its end: an id from the caller where it is well-formed, else a new one.
import type { Middleware } from 'koa'
import type { Log } from '../log.ts'

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
        { requestId, method, path: withoutSecrets(path), status: ctx.status, ms: Math.round((performance.now() - startedAt) * 10) / 10, ip: ctx.ip },
        'request',
      )
  }

/** A path as it may be written down: links of mails and addresses of interactions hold secrets in it. */
export const withoutSecrets = (path: string): string => path.replaceAll(/[\w-]{20,}/g, part => (isId.test(part) ? part : '…'))

const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$|^[a-z_.-]+$/

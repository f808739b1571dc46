// What stands in front of the engine: its documents from a buffer, and POST where it only takes GET.
import { createHash } from 'node:crypto'
import type { Context, Middleware } from 'koa'
import { koaBody } from 'koa-body'
import type { Engine } from './provider.ts'
import { jwksMaxAgeSeconds } from './signing-keys.ts'

const documents = new Set(['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server', '/oauth2/jwks'])
const postable = new Set(['/oauth2/authorize', '/oauth2/logout'])

interface Kept {
  readonly body: Buffer
  readonly etag: string
  readonly provider: object
}

/** Answers discovery and JWKS from memory, with an ETag and for how long they may be kept. */
export const createDocuments = (engine: Engine): Middleware => {
  const kept = new Map<string, Kept>()
  return async (ctx, next) => {
    if (!documents.has(ctx.path) || (ctx.method !== 'GET' && ctx.method !== 'HEAD')) return next()
    const known = kept.get(ctx.path)
    if (known?.provider === engine.current()) return send(ctx, known)
    const provider = engine.current()
    await next()
    if (ctx.status !== 200 || typeof ctx.body !== 'object' || ctx.body === null) return
    const body = Buffer.from(JSON.stringify(ctx.body))
    const made = { body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`, provider }
    kept.set(ctx.path, made)
    send(ctx, made)
  }
}

const send = (ctx: Context, { body, etag }: Kept) => {
  ctx.status = 200
  ctx.set('Cache-Control', `public, max-age=${jwksMaxAgeSeconds}`)
  ctx.set('Access-Control-Allow-Origin', '*')
  ctx.set('ETag', etag)
  ctx.set('Content-Type', ctx.path === '/oauth2/jwks' ? 'application/jwk-set+json; charset=utf-8' : 'application/json; charset=utf-8')
  if (ctx.get('If-None-Match') === etag) {
    ctx.status = 304
    return
  }
  ctx.body = body
}

/**
 * Takes authorization and logout requests by POST (OpenID Connect Core §3.1.2.1, RP-Initiated Logout §2). A form posted by
 * another site comes without our cookies, which are SameSite=Lax: that browser is sent on with GET, and then brings them.
 */
export const createPostToGet = (): Middleware => {
  const parse = koaBody({ json: false, text: false, multipart: false, formLimit: '56kb' })
  return async (ctx, next) => {
    if (ctx.method !== 'POST' || !postable.has(ctx.path)) return next()
    if (!ctx.is('application/x-www-form-urlencoded')) return next()
    await parse(ctx, async () => undefined)
    const target = `${ctx.path}?${toQuery(ctx.request.body)}`
    if (ctx.get('Sec-Fetch-Site') === 'cross-site') {
      ctx.redirect(target)
      ctx.status = 303
      return
    }
    ctx.method = 'GET'
    ctx.url = target
    return next()
  }
}

// A parameter given twice stays twice, for the engine to refuse.
const toQuery = (body: unknown): string => {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(body ?? {}))
    for (const one of Array.isArray(value) ? value : [value]) query.append(name, typeof one === 'string' ? one : '')
  return query.toString()
}

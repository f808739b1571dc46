// Takes by POST what the engine takes by GET only.
import type { Context, Middleware } from 'koa'
import { koaBody } from 'koa-body'
import { Problem } from '../platform/errors.ts'
import { isPlainText } from '../platform/http/text.ts'
import { at, paths } from './paths.ts'

const postable = [paths.authorization, paths.end_session]

/**
 * Takes authorization and logout requests by POST (OpenID Connect Core §3.1.2.1, RP-Initiated Logout §2). A form posted by
 * another site comes without our cookies, which are SameSite=Lax: that browser is sent on with GET, and then brings them.
 */
export const createPostToGet = (): Middleware => {
  const parse = koaBody({ json: false, text: false, multipart: false, formLimit: '56kb' })
  return at(postable, async (ctx: Context, next) => {
    if (ctx.method !== 'POST') return next()
    // A request without anything in it is one without parameters, which the engine refuses or, of a logout, takes.
    if (!isEmpty(ctx) && !ctx.is('application/x-www-form-urlencoded')) throw new Problem('unsupported_media_type')
    await parse(ctx, async () => undefined)
    // In an address the guard refuses such text; a session, which remembers a logout's `state`, cannot keep it.
    if (!isPlainText(ctx.request.body)) throw new Problem('malformed_text')
    const target = `${ctx.path}?${toQuery(ctx.request.body)}`
    if (ctx.get('Sec-Fetch-Site') === 'cross-site') {
      ctx.redirect(target)
      ctx.status = 303
      return undefined
    }
    ctx.method = 'GET'
    ctx.url = target
    return next()
  })
}

const isEmpty = (ctx: Context) => !ctx.request.length && !ctx.get('Transfer-Encoding')

// A parameter given twice stays twice, for the engine to refuse.
const toQuery = (body: unknown): string => {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(body ?? {}))
    for (const one of Array.isArray(value) ? value : [value]) query.append(name, typeof one === 'string' ? one : '')
  return query.toString()
}

// Where other providers answer, and what they are told of us. A provider that posts comes from another site, without our cookies: the
// answer is only kept here, and looked at where the browser goes on, in the place that it began in.
import Router from '@koa/router'
import type { Context } from 'koa'
import type { Upstream } from '../connectors/upstream.ts'
import { Problem } from '../platform/errors.ts'
import { readRawForm } from '../platform/http/raw-form.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { isUuid } from '../platform/uuid.ts'

// The most of an answer: an assertion with all of somebody's groups.
const maxAnswerBytes = 300 * 1024

const callbackPath = /^\/connections\/[^/]+\/callback$/

/** Whether answers are taken at a path. */
export const isCallback = (path: string): boolean => callbackPath.test(path)

/** Makes the router. */
export const createCallbackRouter = ({ upstream }: { readonly upstream: Upstream }): Router => {
  const router = new Router({ prefix: '/connections/:id' })
  const receive = async (ctx: Context) => {
    const connectionId = idOf(ctx)
    // A look ahead must not use up what the browser comes with.
    if (ctx.method === 'HEAD') throw new Problem('not_found')
    const method = ctx.method === 'POST' ? 'POST' : 'GET'
    const body = method === 'POST' ? { body: await readRawForm(ctx, maxAnswerBytes) } : {}
    seeOther(ctx, await upstream.receive({ connectionId, answer: { method, query: ctx.querystring, ...body } }))
  }
  router.get('/callback', receive)
  router.post('/callback', receive)
  router.get('/metadata', async ctx => {
    const { type, body } = await upstream.describe(idOf(ctx))
    ctx.type = type
    ctx.set('Cache-Control', 'public, max-age=300')
    ctx.body = body
  })
  return router
}

const idOf = (ctx: Context): string => {
  const id = String(ctx.params.id).toLowerCase()
  if (!isUuid(id)) throw new Problem('not_found')
  return id
}

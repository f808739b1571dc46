// Tells metrics to whoever may read them: with the operator's token, or, where there is none, to this machine alone.
import { hash, timingSafeEqual } from 'node:crypto'
import type { Context, Middleware } from 'koa'
import { Problem } from '../errors.ts'
import { isLoopbackAddress } from '../http/loopback.ts'
import { scrapeCluster } from './cluster.ts'
import { type Metrics, mediaTypes } from './metrics.ts'

interface Needs {
  readonly metrics: Metrics
  readonly token?: string | undefined
  readonly isBehindProxy: boolean
}

const path = '/metrics'

/** Serves `/metrics`, and lets every other path pass. Whom nothing is told is told nothing of its being there either, unless a token is set: then 401. */
export const createMetricsEndpoint = ({ metrics, token, isBehindProxy }: Needs): Middleware => {
  const tell = async (ctx: Context) => {
    if (token !== undefined) mustShow(ctx, token)
    else if (isBehindProxy || !isOfThisMachine(ctx)) throw new Problem('not_found')
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
      ctx.set('Allow', 'GET, HEAD')
      throw new Problem('method_not_allowed')
    }
    const all = await scrapeCluster()
    // What several processes add up is told in the older form, which every scraper takes.
    const form = all === undefined && ctx.get('Accept').includes('application/openmetrics-text') ? 'openmetrics' : 'prometheus'
    ctx.set('Cache-Control', 'no-store')
    ctx.set('Content-Type', mediaTypes[form])
    ctx.body = all ?? (await metrics.scrape(form))
  }
  return (ctx, next) => (ctx.path === path ? tell(ctx) : next())
}

// RFC 6750 §3.
const mustShow = (ctx: Context, token: string) => {
  const [, shown = ''] = /^Bearer +(\S+) *$/i.exec(ctx.get('Authorization')) ?? []
  if (timingSafeEqual(hash('sha256', shown, 'buffer'), hash('sha256', token, 'buffer'))) return
  ctx.set('WWW-Authenticate', shown === '' ? 'Bearer realm="metrics"' : 'Bearer realm="metrics", error="invalid_token"')
  throw new Problem('unauthenticated')
}

const forwarded = ['x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'forwarded', 'via']

// A proxy on this machine is a neighbour too, and so is a page in its browser that gave a name of its own our address.
const isOfThisMachine = (ctx: Context) =>
  isLoopbackAddress(ctx.req.socket.remoteAddress) && forwarded.every(name => ctx.req.headers[name] === undefined) && localHost.test(ctx.req.headers.host ?? '')

const localHost = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i

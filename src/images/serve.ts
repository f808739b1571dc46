// Serves the pictures that are kept, as nothing but pictures.
import type { Middleware } from 'koa'
import { Problem } from '../platform/errors.ts'
import type { Images } from './images.ts'

const place = /^\/assets\/images\/([0-9a-f]{64})$/
// SVG is a document: opened by itself it may do nothing, and is saved rather than shown.
const headers = {
  'Cache-Control': 'public, max-age=31536000, immutable',
  'Content-Security-Policy': "sandbox; default-src 'none'; style-src 'unsafe-inline'",
  'Content-Disposition': 'attachment',
  'X-Content-Type-Options': 'nosniff',
}

/** Answers `/assets/images/<sha256>`, and lets every other path pass. */
export const serveImages =
  (images: Pick<Images, 'get'>): Middleware =>
  async (ctx, next) => {
    const hash = place.exec(ctx.path)?.[1]
    if (hash === undefined) return next()
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
      ctx.set('Allow', 'GET, HEAD')
      throw new Problem('method_not_allowed')
    }
    const image = await images.get(hash)
    if (!image) throw new Problem('not_found')
    ctx.status = 200
    ctx.set({ ...headers, ETag: `"${hash.slice(0, 32)}"` })
    ctx.type = image.type
    if (ctx.fresh) ctx.status = 304
    else ctx.body = image.bytes
  }

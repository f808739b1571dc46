/** Serves the few static files of the hosted pages from memory, under names that hold their hash. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import type { Middleware } from 'koa'

export interface Assets {
  /** The address of a file, e.g. `/assets/authy2.3f2a91c0.css`. Throws when there is no such file. */
  url(name: string): string
  /** Answers /assets/… and /favicon.ico, and lets every other path pass. */
  readonly middleware: Middleware
}

interface Asset {
  readonly url: string
  readonly type: string
  readonly etag: string
  readonly body: Buffer
}

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
}

/** Reads the directory once. Throws on a file whose type is not known. */
export function createAssets(directory: string): Assets {
  const byName = new Map(readdirSync(directory).map(name => [name, readAsset(directory, name)]))
  const byUrl = new Map([...byName.values()].map(asset => [asset.url, asset]))

  return {
    url(name) {
      const asset = byName.get(name)
      if (!asset) throw new Error(`There is no asset ${JSON.stringify(name)}`)
      return asset.url
    },
    middleware: (ctx, next) => {
      const isIcon = ctx.path === '/favicon.ico'
      if (!isIcon && !ctx.path.startsWith('/assets/')) return next()
      if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
        ctx.set('Allow', 'GET, HEAD')
        ctx.status = 405
        return
      }
      const asset = isIcon ? byName.get('favicon.svg') : byUrl.get(ctx.path)
      if (!asset) {
        ctx.status = 404
        return
      }
      ctx.status = 200
      ctx.set({
        // The name of the icon has no hash, so it may change.
        'Cache-Control': isIcon ? 'public, max-age=86400' : 'public, max-age=31536000, immutable',
        'Content-Type': asset.type,
        'X-Content-Type-Options': 'nosniff',
        ETag: asset.etag,
      })
      if (ctx.fresh) ctx.status = 304
      else ctx.body = asset.body
    },
  }
}

function readAsset(directory: string, name: string): Asset {
  const extension = extname(name)
  const type = TYPES[extension]
  if (!type) throw new Error(`There is no type for the asset ${JSON.stringify(name)}`)
  const body = readFileSync(join(directory, name))
  const hash = createHash('sha256').update(body).digest('hex')
  const url = `/assets/${name.slice(0, -extension.length)}.${hash.slice(0, 8)}${extension}`
  return { url, type, etag: `"${hash.slice(0, 32)}"`, body }
}

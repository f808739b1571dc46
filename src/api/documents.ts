// Serves the OpenAPI document, and a page to read it that needs nothing from outside.
import { hash } from 'node:crypto'
import type { Middleware } from 'koa'
import { Problem } from '../platform/errors.ts'
import type { Route } from '../platform/http/route.ts'
import { docsPage, docsStyle } from './docs-page.ts'
import { openApi } from './openapi.ts'

/** Serves `/api/openapi.json` and `/api/docs`, both made once, when the first is asked for: a tenth of a second that no start waits for. */
export const createDocuments = ({ routes, issuer }: { routes: readonly Route[]; issuer: string }): Middleware => {
  let documents: ReadonlyMap<string, Document> | undefined
  return (ctx, next) => {
    if (!paths.has(ctx.path)) return next()
    documents ??= makeDocuments(openApi({ routes, issuer }))
    const found = documents.get(ctx.path)
    if (!found) return next()
    if (!['GET', 'HEAD'].includes(ctx.method)) {
      ctx.set('Allow', 'GET, HEAD')
      throw new Problem('method_not_allowed')
    }
    ctx.type = found.type
    ctx.set('Cache-Control', 'no-cache')
    if (found.policy !== undefined) ctx.set('Content-Security-Policy', found.policy)
    ctx.body = found.body
  }
}

interface Document {
  readonly type: string
  readonly body: string
  readonly policy?: string
}

const paths: ReadonlySet<string> = new Set(['/api/openapi.json', '/api/docs'])

const makeDocuments = (document: ReturnType<typeof openApi>): ReadonlyMap<string, Document> =>
  new Map([
    ['/api/openapi.json', { type: 'application/json', body: JSON.stringify(document) }],
    [
      '/api/docs',
      {
        type: 'text/html',
        body: docsPage(document),
        policy: `default-src 'none'; style-src 'sha256-${hash('sha256', docsStyle, 'base64')}'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'`,
      },
    ],
  ])

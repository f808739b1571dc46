// Discovery and JWKS, answered from a buffer before the app is even asked: they are read far more often than anything else.
import { hash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Context, Middleware } from 'koa'
import type { DetailsTypes } from '../clients/details-types.ts'
import { hasBody } from '../platform/http/body.ts'
import { hasSeveralHosts, plainHost } from '../platform/http/guard.ts'
import { answerAtOnce } from '../platform/http/headers.ts'
import { at, discoveryPaths, paths } from './paths.ts'
import type { Engine } from './provider.ts'

/** The documents of the issuer. */
export interface Documents {
  /** Answers a plain GET or HEAD of a document that is kept; answers false for every other request, which the app then takes. */
  answer(request: IncomingMessage, response: ServerResponse): boolean
  /** Lets the engine make a document, and keeps it for as long as that engine is current. */
  readonly middleware: Middleware
}

interface Kept {
  readonly provider: object
  /** The types of authorization details that it was made with. */
  readonly types: string
  /** ASCII, as all that it can tell: names, addresses and types of details. A string goes out with the headers in one piece, which costs half of what two do. */
  readonly body: string
  readonly etag: string
  readonly headers: Readonly<Record<string, string>>
  /** Names and values in turn, of a 304 without what tells of a body (RFC 9110 §15.4.5). */
  readonly inTurn: { readonly of200: readonly string[]; readonly of304: readonly string[] }
}

const types: Readonly<Record<string, string>> = {
  ...Object.fromEntries(discoveryPaths.map(path => [path, 'application/json; charset=utf-8'])),
  [paths.jwks]: 'application/jwk-set+json; charset=utf-8',
}

interface Needs {
  readonly engine: Engine
  readonly issuer: string
  readonly newId: () => string
  /** For how long anybody may keep them. */
  readonly maxAgeSeconds: number
  readonly detailsTypes: Pick<DetailsTypes, 'ofSystem' | 'refresh'>
}

/** Makes the documents. */
export const createDocuments = ({ engine, issuer, newId, maxAgeSeconds, detailsTypes }: Needs): Documents => {
  const { host, protocol } = new URL(issuer)
  const kept = new Map<string, Kept>()

  const toldTypes = () => detailsTypes.ofSystem().join(' ')

  const keep = (path: string, document: object): Kept => {
    const body = JSON.stringify(document)
    const etag = `"${hash('sha256', body, 'base64url').slice(0, 22)}"`
    const lasting = { 'Cache-Control': `public, max-age=${maxAgeSeconds}`, 'Access-Control-Allow-Origin': '*', ETag: etag }
    const headers = { ...lasting, 'Content-Type': types[path] ?? 'application/json', 'Content-Length': `${body.length}` }
    const inTurn = { of200: Object.entries(headers).flat(), of304: Object.entries(lasting).flat() }
    const made = { provider: engine.current(), types: toldTypes(), body, etag, headers, inTurn }
    kept.set(path, made)
    return made
  }

  const send = ({ method, headers }: IncomingMessage, response: ServerResponse, { inTurn, etag, body }: Kept) => {
    const named = ['X-Request-Id', newId()]
    if (isKnown(headers['if-none-match'], etag)) answerAtOnce(response, { status: 304, headers: [...named, ...inTurn.of304] })
    else answerAtOnce(response, { status: 200, headers: [...named, ...inTurn.of200], body: method === 'HEAD' ? undefined : body })
  }

  return {
    answer: (request, response) => {
      const { method, url = '', headers } = request
      const document = method === 'GET' || method === 'HEAD' ? kept.get(url) : undefined
      // Whatever names its own request, or another host, or several, or comes with a body, goes the long way.
      if (document?.provider !== engine.current() || document.types !== toldTypes()) return false
      const isOurs = headers.host === host || plainHost(headers.host ?? '', protocol) === host
      if (!isOurs || hasSeveralHosts(request) || headers['x-request-id'] !== undefined || hasBody(headers)) return false
      send(request, response, document)
      // For those who ask next: this answer is as old as caches may hold it.
      detailsTypes.refresh().catch(() => undefined)
      return true
    },
    middleware: at(Object.keys(types), async (ctx: Context, next) => {
      const isRead = ctx.method === 'GET' || ctx.method === 'HEAD'
      await next()
      if (!isRead || ctx.status !== 200 || typeof ctx.body !== 'object' || ctx.body === null) return
      const { body, headers, etag } = keep(ctx.path, ctx.body)
      ctx.set({ ...headers })
      // The engine answers each origin by its name; the document is for all alike.
      ctx.remove('Vary')
      ctx.body = body
      if (isKnown(ctx.get('If-None-Match'), etag)) ctx.status = 304
    }),
  }
}

// RFC 9110 §13.1.2: a list, compared weakly; a proxy that compresses makes tags weak.
const isKnown = (offered: string | undefined, etag: string): boolean =>
  (offered?.split(',') ?? []).some(tag => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag)

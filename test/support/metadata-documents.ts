// A server that stands in for the hosts of clients that are known by their metadata documents: each document at its own host, changeable.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Standing } from './upstreams/world.ts'

/** How a document is answered. */
export interface DocumentAnswer {
  readonly status?: number
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON, or as it stands where it is text. */
  readonly body?: unknown
  /** Hangs up instead. */
  readonly isBroken?: boolean
}

/** One client's document. */
export interface Document {
  /** The client's identifier. */
  readonly id: string
  readonly origin: string
  /** What it says from now on; what is given stands over a plain document. */
  say(changes?: Readonly<Record<string, unknown>>): void
  /** How it is answered from now on. */
  answer(answer: DocumentAnswer): void
  /** How often it was asked for. */
  readonly asked: () => number
}

const hosts = 60

/** Starts it. */
export async function startDocuments() {
  const documents = new Map<string, { answer: DocumentAnswer; asked: number }>()
  const server = createServer((request, response) => {
    const known = documents.get(`https://${request.headers['x-forwarded-host']}${request.url}`)
    if (known) known.asked += 1
    send(response, known?.answer ?? { status: 404 })
  })
  server.listen(0, 'localhost')
  await once(server, 'listening')
  const origins = Array.from({ length: hosts }, (_, number) => `https://app${number}.example.com`)
  const standing: Standing = { origins, local: `http://localhost:${(server.address() as AddressInfo).port}` }
  let taken = 0

  /** A document at a host of its own. */
  const make = (changes: Readonly<Record<string, unknown>> = {}, { path = '/oauth/client.json' } = {}): Document => {
    const origin = origins[taken++]
    if (origin === undefined) throw new Error('no host is left')
    const id = `${origin}${path}`
    const kept: { answer: DocumentAnswer; asked: number } = { answer: {}, asked: 0 }
    documents.set(id, kept)
    const say = (said: Readonly<Record<string, unknown>> = {}) => {
      kept.answer = { body: { ...plain(id, origin), ...said } }
    }
    say(changes)
    return {
      id,
      origin,
      say,
      asked: () => kept.asked,
      answer: answer => {
        kept.answer = answer
      },
    }
  }
  return {
    standing,
    make,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

const plain = (id: string, origin: string) => ({
  client_id: id,
  client_name: 'Trusty Notes',
  redirect_uris: [`${origin}/callback`, 'http://127.0.0.1/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
})

const send = (response: ServerResponse, { status = 200, type = 'application/json', headers = {}, body, isBroken }: DocumentAnswer) => {
  if (isBroken) return response.destroy()
  return response.writeHead(status, { 'content-type': type, ...headers }).end(typeof body === 'string' ? body : JSON.stringify(body ?? {}))
}

// Calls a server's endpoints with nothing in between: kept-alive connections, any header, by turns over several processes.
import { Agent, request } from 'undici'
import { plant, plantTokens } from './canaries.ts'

/** What came back. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
  /** The body where it is a JSON object, else an empty one. */
  readonly json: Readonly<Record<string, unknown>>
}

/** What to send. */
export interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS' | 'TRACE'
  readonly headers?: Record<string, string>
  readonly form?: Record<string, string> | URLSearchParams
  readonly body?: string | Buffer
}

export type Calls = ReturnType<typeof createCalls>

/** The portal and the service of the demo data. */
export const portal = { id: 'acme-portal-001', secret: plant('acme_secret_portal_2024'), redirectUri: 'http://localhost:4000/callback' }
export const service = { id: 'acme-service-001', secret: plant('acme_secret_service_2024') }

/** The value of an Authorization header for `client_secret_basic`. */
export function basic({ id, secret }: { id: string; secret: string }): string {
  return `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
}

/** Makes a caller. Every origin is asked as the issuer, by turns. */
export function createCalls(issuer: string, origins: readonly string[] = [issuer]) {
  const agent = new Agent({ connections: 64, keepAliveTimeout: 10_000, bodyTimeout: 30_000, headersTimeout: 30_000 })
  const { host } = new URL(issuer)
  let turn = 0

  const call = async (path: string, { method = 'GET', headers = {}, form, body }: Call = {}): Promise<Reply> => {
    const origin = origins[turn++ % origins.length] ?? issuer
    const answer = await request(`${origin}${path}`, {
      dispatcher: agent,
      method,
      headers: { host, ...(form ? { 'content-type': 'application/x-www-form-urlencoded' } : {}), ...headers },
      body: form ? new URLSearchParams(form).toString() : (body ?? null),
    })
    const text = await answer.body.text()
    const json = parsed(text)
    plantTokens(json)
    return { status: answer.statusCode, headers: answer.headers, body: text, json }
  }

  const post = (path: string, form: Record<string, string>, headers: Record<string, string> = {}) => call(path, { method: 'POST', form, headers })

  return { call, post, close: () => agent.destroy() }
}

function parsed(text: string): Record<string, unknown> {
  if (!text.startsWith('{')) return {}
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return {} // no JSON after all
    throw error
  }
}

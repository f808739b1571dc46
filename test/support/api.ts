// Callers of the management API: people with a session token, machines with a key, and what came back, unwrapped.
import { setTimeout as sleep } from 'node:timers/promises'
import { systemActor } from '../../src/platform/actor.ts'
import type { Database } from '../../src/platform/data/database.ts'
import type { Reply } from './calls.ts'
import { type Calls, createCalls } from './calls.ts'
import { startServer, type TestServer } from './server.ts'
import { makeUser } from './users.ts'

/** The password of every person made here. */
export const password = 'a long enough password'

/** An answer's envelope. */
export interface Envelope {
  readonly version: string
  readonly success: boolean
  readonly code: number
  readonly message: string
  readonly request_id: string
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects to be there.
  readonly data: any
  readonly error: { readonly type: string; readonly details: { readonly fields?: readonly { path: string; message: string }[] } } | null
  readonly meta: { readonly limit: number; readonly next_cursor: string | null; readonly total: number } | null
}

interface Asked {
  readonly token?: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

/** An answer of the API. */
export type ApiReply = Envelope & Pick<Reply, 'status' | 'headers'>

/** A server with a caller of its API. */
export async function startApi(
  settings: Readonly<Record<string, string>> = { API_REQUESTS_PER_MINUTE: '100000' },
  given: { dnsServers?: string[]; database?: Database } = {},
) {
  const server = await startServer({ settings, ...given })
  const calls = createCalls(server.issuer)
  return { server, calls, ask: asking(calls), signIn: signingIn(server, calls), close: () => closeAll(server, calls) }
}

/** What {@link startApi} gives. */
export type TestApi = Awaited<ReturnType<typeof startApi>>

const asking =
  (calls: Calls) =>
  async (operation: string, { token, body, headers = {} }: Asked = {}): Promise<ApiReply> => {
    const [method, path] = operation.split(' ', 2)
    const reply = await calls.call(`/api/v1${path}`, {
      method: method as 'GET',
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    return { ...(reply.json as unknown as Envelope), status: reply.status, headers: reply.headers }
  }

/** Makes an administrator of the system, and gives the token of their session. */
export async function makeAdmin(api: TestApi): Promise<string> {
  const person = await api.signIn()
  await api.server.services.userAdministration.update(systemActor, person.id as never, { isAdmin: true })
  await sleep(1100)
  return person.token
}

/** Makes a person and signs them in; one who is there already is signed in again. */
const signingIn =
  (server: TestServer, calls: Calls) =>
  async ({ email }: { email?: string } = {}) => {
    const person = email === undefined ? await makeUser(server, { password }) : { email, id: undefined }
    const { data, status } = await asking(calls)('POST /auth/login', { body: { email: person.email, password } })
    if (status !== 200) throw new Error(`signing in answered ${status}`)
    return { id: String(data.user.id), email: person.email, token: String(data.token), sessionId: String(data.session.id) }
  }

const closeAll = async (server: TestServer, calls: Calls) => {
  await calls.close()
  await server.close()
}

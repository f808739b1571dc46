// A sign-in at an upstream provider, from the button to the person: whatever it is for.
import { Problem } from '../platform/errors.ts'
import { addressKey, type MakeLimit } from '../platform/http/limit.ts'
import type { Connection } from './connection.ts'
import type { Connections } from './connections.ts'
import type { Answer, Begun, UpstreamIdentity } from './connector.ts'
import type { Connectors } from './list.ts'
import type { UpstreamRequests, UpstreamReturn } from './upstream-requests.ts'

/** What a sign-in is begun with. */
export interface UpstreamWish {
  readonly connectionId: string
  /** The interaction or session that it is for: only there it can be finished. */
  readonly binding: string
  /** Where the browser comes back to; `state` and `answer` are added. */
  readonly returnPath: string
  readonly loginHint?: string
  readonly isAgain: boolean
  /** Where the browser asks from: whoever asks without end is stopped. */
  readonly ip?: string
}

/** Who came back, and by which connection. */
export interface UpstreamProof {
  readonly connection: Connection
  readonly identity: UpstreamIdentity
}

/** The same, and whether the person was made to prove themselves there just now. */
export interface FinishedProof extends UpstreamProof {
  readonly isAgain: boolean
}

/** Sign-ins at upstream providers. */
export interface Upstream {
  /** Throws `connection_gone` where the connection cannot be used, `upstream_unavailable`, `upstream_cannot_again`, and `too_many_attempts`. */
  begin(wish: UpstreamWish): Promise<Pick<Begun, 'redirectUrl' | 'form'>>
  /** Keeps an answer; answers where the browser goes on. Throws `upstream_answer_invalid` for one that nobody waits for. */
  receive(answered: { readonly connectionId: string; readonly answer: Answer }): Promise<string>
  /**
   * Who came back; `taken` where there is no answer to take: it is taken already, or was begun or brought elsewhere. Throws
   * `upstream_answer_invalid`, `connection_gone`, `upstream_refused` and `upstream_unavailable`; `onRefused` is told of each.
   */
  finish(by: UpstreamReturn, onRefused: (connector: string, problem: Problem) => Promise<void>): Promise<FinishedProof | 'taken'>
  /** What the provider has to be told of us, also of one that is disabled. Throws `not_found` where there is nothing to be told. */
  describe(connectionId: string): Promise<{ readonly type: string; readonly body: string }>
}

interface Needs {
  readonly connections: Connections
  readonly connectors: Connectors
  readonly requests: UpstreamRequests
  readonly limit: MakeLimit
  readonly randomBytes: (size: number) => Buffer
}

/** Makes the service. Three hundred beginnings an address and minute: each costs a row, and a question to the provider. */
export const createUpstream = ({ connections, connectors, requests, limit, randomBytes }: Needs): Upstream => {
  const byAddress = limit('upstream:address', { points: 300, durationSeconds: 60 })
  const find = async (connectionId: string) => {
    const connection = await connections.find(connectionId)
    const connector = connection && connectors.get(connection.connector)
    return connection && connector && { connection, connector }
  }
  return {
    begin: async ({ connectionId, binding, returnPath, loginHint, isAgain, ip = 'unknown' }) => {
      await byAddress.consume(addressKey(ip))
      const found = await find(connectionId)
      if (!found) throw new Problem('connection_gone')
      const state = randomBytes(32).toString('base64url')
      const { kept, redirectUrl, form } = await found.connector.begin(found.connection.configured, { state, loginHint, isAgain })
      const connector = found.connector.id
      await requests.begin({ state, connectionId, connector, binding, kept, isAgain, loginHint, returnPath: `${returnPath}?state=${state}` })
      return { redirectUrl, form }
    },
    receive: async ({ connectionId, answer }) => {
      const state = stateOf(answer)
      const returnPath = state === undefined ? undefined : await requests.receive({ state, connectionId, answer })
      if (returnPath === undefined) throw new Problem('upstream_answer_invalid')
      return returnPath
    },
    finish: async (by, onRefused) => {
      const request = await requests.take(by)
      if (!request) return 'taken'
      const { connectionId, connector, kept, loginHint, isAgain, answer } = request
      try {
        const found = await find(connectionId)
        if (!found) throw new Problem('connection_gone')
        const { connection } = found
        return {
          connection,
          isAgain,
          identity: sound(await found.connector.complete(connection.configured, { state: by.state, kept, loginHint, isAgain, answer })),
        }
      } catch (error) {
        if (error instanceof Problem) await onRefused(connector, error)
        throw error
      }
    },
    describe: async connectionId => {
      const connection = await connections.findAlsoDisabled(connectionId)
      const told = connection && connectors.get(connection.connector)?.describe?.(connection.configured)
      if (!told) throw new Problem('not_found')
      return told
    },
  }
}

/** What the address says that a browser came back to. */
export const readReturn = ({ state, answer }: Readonly<Record<string, unknown>>): Pick<UpstreamReturn, 'state' | 'ticket'> => ({
  state: typeof state === 'string' ? state : '',
  ticket: typeof answer === 'string' ? answer : '',
})

// OAuth's name and SAML's; an answer that says it twice is none (RFC 6749 §3.1).
const stateOf = ({ method, query, body = '' }: Answer): string | undefined => {
  const fields = new URLSearchParams(method === 'GET' ? query : body)
  const [state, ...others] = [...fields.getAll('state'), ...fields.getAll('RelayState')]
  return others.length === 0 ? state : undefined
}

const maxSubject = 1024

// Half a subject once was everybody's: text that is not empty and can be kept, or nobody.
const sound = (identity: UpstreamIdentity): UpstreamIdentity => {
  const { subject } = identity
  const isText = typeof subject === 'string' && subject.trim() !== '' && subject.length <= maxSubject && !subject.includes('\0') && subject.isWellFormed()
  if (!isText) throw new Problem('upstream_answer_invalid', { cause: new Error('the subject is no text that can be kept') })
  return identity
}

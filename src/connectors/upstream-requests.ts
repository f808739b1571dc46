// Upstream sign-ins under way: begun in one browser, answered once by whoever the provider sends, taken once by the browser that began.
//
// The callback comes without our cookies where a provider posts to it, so it only keeps the answer; whose it is is asked when it is taken: the
// browser that began is known by its cookie, the one that answered by a ticket. Only one that is both goes on, so that nobody has another's
// answer brought to a sign-in of their own.
import { z } from 'zod'
import { type Database, statement } from '../platform/data/database.ts'
import { createPurge } from '../platform/data/purge.ts'
import { hashOf, type Secrets } from '../platform/secrets.ts'
import type { Answer } from './connector.ts'

const begunSchema = z.object({
  /** Where the browser goes on, a path of ours. */
  returnPath: z.string(),
  /** The kind of provider: known also where the connection is gone by then. */
  connector: z.string(),
  kept: z.record(z.string(), z.string()),
  isAgain: z.boolean(),
  loginHint: z.string().optional(),
})
const answerSchema = z.object({ method: z.enum(['GET', 'POST']), query: z.string(), body: z.string().optional() })

/** What is kept until the end. */
export type BegunRequest = z.output<typeof begunSchema>

/** A request that was answered. */
export interface AnsweredRequest extends BegunRequest {
  readonly connectionId: string
  readonly answer: Answer
}

/** With what a browser comes back: what the address says, and the interaction or session that it is of. */
export interface UpstreamReturn {
  readonly state: string
  readonly ticket: string
  readonly binding: string
}

/** The requests; `binding` is of the interaction or session that began. */
export interface UpstreamRequests {
  begin(request: BegunRequest & { readonly state: string; readonly connectionId: string; readonly binding: string }): Promise<void>
  /** Keeps an answer; where the browser goes on, with its ticket, or `undefined` for a state that is unknown, expired, answered, or of another connection. */
  receive(answered: { readonly state: string; readonly connectionId: string; readonly answer: Answer }): Promise<string | undefined>
  /** Gives an answered request to one who asks, and to no second one; `undefined` also where somebody else began it, or answered. */
  take(by: UpstreamReturn): Promise<AnsweredRequest | undefined>
}

const ttlSeconds = 600

const insert = statement(
  'upstream-begin',
  `INSERT INTO upstream_requests (hash, connection_id, binding_hash, sealed, expires_at)
   VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5))`,
)
const keepAnswer = statement(
  'upstream-receive',
  `UPDATE upstream_requests SET answer = $3, ticket_hash = $4
   WHERE hash = $1 AND connection_id = $2 AND answer IS NULL AND expires_at > now() RETURNING sealed`,
)
const takeOnce = statement(
  'upstream-take',
  `DELETE FROM upstream_requests
   WHERE hash = $1 AND binding_hash = $2 AND ticket_hash = $3 AND answer IS NOT NULL AND expires_at > now() RETURNING connection_id, sealed, answer`,
)

interface Needs {
  readonly database: Database
  readonly secrets: Secrets
  readonly randomBytes: (size: number) => Buffer
}

/** Where what was begun is sealed to. */
export const begunContext = (hash: Buffer): string => `upstream_requests.begun:${hash.toString('base64url')}`

/** Where an answer is sealed to. */
export const answerContext = (hash: Buffer): string => `upstream_requests.answer:${hash.toString('base64url')}`

/** Makes the store. Each of its verbs is one statement, which decides. */
export const createUpstreamRequests = ({ database, secrets, randomBytes }: Needs): UpstreamRequests => {
  const hashOfState = (state: string) => hashOf('upstream-state', state)
  const hashOfBinding = (binding: string) => hashOf('upstream-binding', binding)
  const hashOfTicket = (ticket: string) => hashOf('upstream-ticket', ticket)
  const context = (part: 'begun' | 'answer', hash: Buffer) => (part === 'begun' ? begunContext : answerContext)(hash)
  const seal = (part: 'begun' | 'answer', hash: Buffer, value: unknown) => secrets.seal('upstream-request', JSON.stringify(value), context(part, hash))
  const open = (part: 'begun' | 'answer', hash: Buffer, sealed: string): unknown => JSON.parse(secrets.unseal('upstream-request', sealed, context(part, hash)))
  return {
    begin: async ({ state, connectionId, binding, ...begun }) => {
      const hash = hashOfState(state)
      await database.run(insert, [hash, connectionId, hashOfBinding(binding), seal('begun', hash, begun), ttlSeconds])
    },
    receive: async ({ state, connectionId, answer }) => {
      const hash = hashOfState(state)
      const ticket = randomBytes(32).toString('base64url')
      const [row] = await database.run<{ sealed: string }>(keepAnswer, [hash, connectionId, seal('answer', hash, answer), hashOfTicket(ticket)])
      return row && `${begunSchema.parse(open('begun', hash, row.sealed)).returnPath}&answer=${ticket}`
    },
    take: async ({ state, ticket, binding }) => {
      const hash = hashOfState(state)
      const keys = [hash, hashOfBinding(binding), hashOfTicket(ticket)]
      const [row] = await database.run<{ connection_id: string; sealed: string; answer: string }>(takeOnce, keys)
      if (!row) return undefined
      return {
        ...begunSchema.parse(open('begun', hash, row.sealed)),
        connectionId: row.connection_id,
        answer: answerSchema.parse(open('answer', hash, row.answer)),
      }
    },
  }
}

/** Forgets those that nobody came back to. */
export const purgeUpstreamRequests = createPurge({ table: 'upstream_requests', key: 'hash', due: 'expires_at < now()' })

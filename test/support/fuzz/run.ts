// Sends what was made up, several at once, and keeps what is wrong with the answers.
import fc from 'fast-check'
import { type Calls, createCalls, type Reply } from '../calls.ts'
import type { TestServer } from '../server.ts'
import { createCheck } from './answers.ts'
import { createCallers } from './callers.ts'
import { createFinder, type Document, type Operation, operationsOf } from './document.ts'
import { createPool } from './living.ts'
import { type Draft, requestOf } from './request.ts'

/** How many requests, made from which seed, how many of them under way at once. */
export interface Options {
  readonly requests: number
  readonly seed: number
  readonly atOnce: number
}

/** What came of it. */
export interface Result {
  /** A sentence each. */
  readonly faults: readonly string[]
  readonly statuses: Readonly<Record<string, number>>
  /** How often each operation was asked and how often it kept. */
  readonly operations: ReadonlyMap<string, { asked: number; kept: number }>
}

const prefix = '/api/v1'
const enoughFaults = 25

/** Makes the requests from the document that the server serves. The same seed makes the same requests. */
export const fuzz = async (server: TestServer, { requests, seed, atOnce }: Options): Promise<Result> => {
  const calls = createCalls(server.issuer)
  const document = (await calls.call('/api/openapi.json')).json as unknown as Document
  const operations = operationsOf(document)
  const drafts = fc.sample(anyRequest(operations, document), { seed, numRuns: requests })
  const run = createRun({ server, calls, document, operations })
  const queue = drafts.values()
  const work = async () => {
    for (const draft of queue) if (run.faults.length < enoughFaults) await run.send(draft)
  }
  try {
    await Promise.all(Array.from({ length: atOnce }, work))
  } finally {
    await calls.close()
  }
  return run
}

const anyRequest = (operations: readonly Operation[], { components }: Document): fc.Arbitrary<Draft> =>
  fc.oneof(...operations.map(operation => ({ weight: weightOf(operation), arbitrary: requestOf(operation, components.schemas) })))

// Hashing a password takes as long as fifty other requests; keys are rotated, and people and organizations go with all that is theirs,
// only so often that it is seen to work.
const weightOf = ({ permission, requestBody, operationId }: Operation) => {
  const isCostly = JSON.stringify(requestBody ?? '').includes('password') || permission === 'signing_keys:rotate' || takesAll.includes(operationId)
  return isCostly ? 15 : 40
}
const takesAll = ['delete_users_me', 'delete_users_id', 'delete_organizations_id']

const createRun = ({ server, calls, document, operations }: { server: TestServer; calls: Calls; document: Document; operations: readonly Operation[] }) => {
  const pool = createPool()
  const callers = createCallers(server, pool)
  const find = createFinder(operations)
  const check = createCheck(document, find)
  const faults: string[] = []
  const statuses: Record<string, number> = {}
  const counts = new Map(operations.map(({ operationId }) => [operationId, { asked: 0, kept: 0 }]))

  const send = async (draft: Draft) => {
    const caller = await callers.get(draft.caller)
    const path = pool.filled(pool.address(draft, caller) + (draft.query.length > 0 ? `?${draft.query.join('&')}` : ''), caller)
    const authorization = draft.caller === 'garbage' ? draft.authorization : caller.token && `Bearer ${caller.token}`
    const sent = {
      method: draft.method as 'GET',
      headers: {
        ...(authorization === undefined ? {} : { authorization }),
        ...(draft.method === 'GET' || draft.body?.type === undefined ? {} : { 'content-type': draft.body.type }),
        ...Object.fromEntries(Object.entries(draft.headers).map(([name, value]) => [name, pool.filled(value, caller)])),
      },
      body: ['GET', 'HEAD'].includes(draft.method) ? undefined : filledBody(draft, text => pool.filled(text, caller)),
    }
    const reply = await calls.call(`${prefix}${path}`, sent)
    const isKept = reply.status >= 200 && reply.status < 300
    statuses[reply.status] = (statuses[reply.status] ?? 0) + 1
    const told = check({ method: draft.method, path: addressOf(server, path), headers: sent.headers, reply })
    if (told.length > 0)
      faults.push(`${draft.method} ${path.slice(0, 300)} as ${draft.caller} ${bodyText(sent.body)}: ${reply.status} ${told.join('; ').slice(0, 800)}`)
    if (reply.status === 401 && draft.caller !== 'garbage') callers.bury(draft.caller)
    if (isKept) pool.learn({ path: path.replace(/\?.*/s, ''), ...learned(reply) })
    count({ draft, counts, isKept })
  }
  return { send, faults, statuses, operations: counts }
}

const count = ({ draft, counts, isKept }: { draft: Draft; counts: Map<string, { asked: number; kept: number }>; isKept: boolean }) => {
  const counted = counts.get(draft.operation.operationId)
  if (!counted || draft.method !== draft.operation.method) return
  counted.asked += 1
  if (isKept) counted.kept += 1
}

const filledBody = ({ body }: Draft, filled: (text: string) => string) => (typeof body?.text === 'string' ? filled(body.text) : body?.text)
const bodyText = (body: string | Buffer | undefined) => (body === undefined ? '' : String(body).slice(0, 400))
const learned = ({ json: { data, meta }, headers: { etag } }: Reply) => ({ data, meta, ...(typeof etag === 'string' ? { etag } : {}) })

// As the caller's own URL parser makes it: dots and spaces are gone.
const addressOf = ({ issuer }: TestServer, path: string) => new URL(`${issuer}${prefix}${path}`).pathname.slice(prefix.length)

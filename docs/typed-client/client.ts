// A typed client of the management API: fetch, and the types of its document. Nothing else is needed.
import type { components, paths } from './api.ts'

type Method = 'get' | 'post' | 'patch' | 'put' | 'delete'
type Answered<Operation> = Operation extends { responses: infer Responses }
  ? Responses[keyof Responses & (200 | 201)] extends { content: { 'application/json': infer Envelope } }
    ? Envelope
    : never
  : never
type Body<Operation> = Operation extends { requestBody: { content: { 'application/json': infer Content } } } ? { body: Content } : { body?: undefined }
type Path<Operation> = Operation extends { parameters: { path: infer Values extends object } } ? { path: Values } : { path?: undefined }
type Query<Operation> = Operation extends { parameters: { query?: infer Values } } ? { query?: Values } : { query?: undefined }
// Operation by operation: of all at once it would be each body with each path with each query.
type Input<Operation> = Operation extends unknown ? Body<Operation> & Path<Operation> & Query<Operation> : never
interface Loose {
  readonly body?: unknown
  readonly path?: Readonly<Record<string, unknown>>
  readonly query?: Readonly<Record<string, unknown>>
}
type Refusal = components['schemas']['Failure']

/** A refusal. `type` says what kind; `fields` which members of the request were wrong. */
export class ApiError extends Error {
  readonly status: number
  readonly type: string
  readonly fields: readonly { path: string; message: string }[]

  constructor(status: number, envelope: Refusal) {
    super(envelope.message)
    this.status = status
    this.type = envelope.error.type
    this.fields = envelope.error.details.fields ?? []
  }
}

/** Makes a client; without a token it can sign in and register. */
export const createClient = (origin: string, token?: string) => {
  /** Calls an operation and gives its envelope. Throws {@link ApiError}. */
  const call = async <Address extends keyof paths, Verb extends Method & keyof paths[Address]>(
    method: Verb,
    path: Address,
    input: Input<paths[Address][Verb]>,
  ): Promise<Answered<paths[Address][Verb]>> => {
    const { body, path: parts = {}, query = {} } = input as Loose
    const url = new URL(`${origin}/api/v1${path.replace(/\{(\w+)\}/g, (_all, name: string) => encodeURIComponent(String(parts[name])))}`)
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value))
    const response = await fetch(url, {
      method: method.toUpperCase(),
      headers: { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
      body: body === undefined ? null : JSON.stringify(body),
    })
    const envelope: unknown = await response.json()
    if (!response.ok) throw new ApiError(response.status, envelope as Refusal)
    return envelope as Answered<paths[Address][Verb]>
  }
  return { call }
}

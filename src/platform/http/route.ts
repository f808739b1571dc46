// A route of the API as a value: what it takes, who may, what it gives. Router, validator and document read the same.
import { z } from 'zod'
import type { Actor } from '../actor.ts'

/** What a handler is given: values that were parsed, and nothing of HTTP. */
export interface Given<Params = unknown, Query = unknown, Body = unknown> {
  readonly actor: Actor
  readonly params: Params
  readonly query: Query
  readonly body: Body
}

/** What a handler gives back; `status` where it depends on what was found. */
export interface Answer<Output = unknown> {
  readonly data: Output
  readonly meta?: unknown
  readonly status?: number
}

/** What every route says of itself. Without a permission anybody may call it. */
interface Description {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  readonly path: `/${string}`
  readonly summary: string
  readonly permission?: string
}

/** A route that can be mounted. */
export interface Route extends Description {
  readonly params: z.ZodType
  readonly query: z.ZodType
  readonly body: z.ZodType
  readonly output: z.ZodType
  readonly status: number
  readonly handle: (given: Given) => Promise<Answer>
}

interface Definition<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType, Output extends z.ZodType> extends Description {
  readonly params: Params
  readonly query: Query
  readonly body: Body
  readonly output: Output
  readonly status?: number
  readonly handle: (given: Given<z.output<Params>, z.output<Query>, z.output<Body>>) => Promise<Answer<z.input<Output>>>
}

/** Takes nothing: any key is an error. */
export const nothing = z.strictObject({})

/** Makes a route; its handler is typed by its schemas, and called only with what they parsed. */
export const route = <Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType, Output extends z.ZodType>(
  definition: Definition<Params, Query, Body, Output>,
): Route => ({
  ...definition,
  status: definition.status ?? 200,
  handle: async given =>
    definition.handle({
      actor: given.actor,
      params: definition.params.parse(given.params),
      query: definition.query.parse(given.query),
      body: definition.body.parse(given.body),
    }),
})

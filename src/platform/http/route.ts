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

/** What the handler of a route that compares versions is given, too. */
export interface Matching {
  /**
   * Throws `precondition_failed` when the caller sent `If-Match` and this is not the version they read. To be called inside
   * the change, on the row as it is locked there, with what the read gave as its `version`.
   */
  readonly ifMatch: IfMatch
}

/** Compares a version with what the caller believes it to be. */
export type IfMatch = (version: Version) => void

/** What changes whenever a thing does. */
export type Version = string | number | Date

/** What a handler gives back; `status` where it depends on what was found, `version` of a thing that may be updated. */
export interface Answer<Output = unknown> {
  readonly data: Output
  readonly meta?: unknown
  readonly status?: number
  readonly version?: Version
}

/** What every route says of itself. */
interface Description {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  readonly path: `/${string}`
  readonly summary: string
  /** What the summary has no room for. */
  readonly description?: string
  /** A name of the permission table, `signed_in`: any person, or `authenticated`: any caller that is known. Absent: anybody. */
  readonly permission?: string
  /**
   * Where the permission must be held. `organization`: in the one that the path's `:id` names; who is none of it is told 404, and a member
   * without the second factor that it requires 403.
   * `given`: somewhere at all, and the handler asks again with `mustHold`, for only it knows the organization. Absent: in the system.
   */
  readonly within?: 'organization' | 'given'
  /** Whether it takes as long as it takes: no deadline gives it up. */
  readonly isLong?: true
  /** Where the body may be of many rows; these take as long as they take. */
  readonly rows?: Rows
}

/** A body of many rows, larger than the usual 100 KB: a JSON object with the rows in one field, or NDJSON, a line a row. */
export interface Rows {
  readonly field: string
  readonly max: number
  /** What a row should be: told in the document, and checked by the handler, each row for itself. */
  readonly row: z.ZodType
  /** JSON is parsed at a stroke, and so holds up others for as long as it takes. */
  readonly maxJsonBytes: number
  /** NDJSON is parsed line by line. */
  readonly maxLineStreamBytes: number
}

/** A route that can be mounted. */
export interface Route extends Description {
  readonly params: z.ZodType
  readonly query: z.ZodType
  readonly body: z.ZodType
  readonly output: z.ZodType
  readonly status: number
  /** Whether it calls `ifMatch`. A write that does not is refused where `If-Match` names any version. */
  readonly comparesVersion?: boolean
  /** Answers with lines of JSON (NDJSON): `output` is what one line is, and the handler's data the lines as they come. */
  readonly isLines?: boolean
  readonly handle: (given: Given & Matching) => Promise<Answer>
}

interface Definition<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType, Output extends z.ZodType, Compares extends boolean>
  extends Description {
  readonly comparesVersion?: Compares
  readonly params?: Params
  readonly query?: Query
  readonly body?: Body
  readonly output: Output
  /** 201 for a creation. */
  readonly status?: number
  readonly handle: (
    given: Given<z.output<Params>, z.output<Query>, z.output<Body>> & (Compares extends true ? Matching : unknown),
  ) => Promise<Answer<z.input<Output>>>
}

/** Takes nothing: any key is an error. */
export const nothing = z.strictObject({})

/** The output of an action without a thing to give. */
export const done = z.null()

/** Makes a route; its handler is typed by its schemas, and called only with what they parsed. What is not said takes nothing. */
export const route = <
  Output extends z.ZodType,
  Params extends z.ZodType = typeof nothing,
  Query extends z.ZodType = typeof nothing,
  Body extends z.ZodType = typeof nothing,
  Compares extends boolean = false,
>(
  definition: Definition<Params, Query, Body, Output, Compares>,
): Route => {
  const { params = nothing, query = nothing, body = nothing } = definition
  return {
    ...definition,
    params,
    query,
    body,
    status: definition.status ?? 200,
    // The values were parsed by these very schemas where the route is mounted.
    handle: given => definition.handle(given as Given<z.output<Params>, z.output<Query>, z.output<Body>> & Matching),
  }
}

/** A route that answers with many things, each a line of JSON, sent as the caller takes them. */
interface LinesDefinition<Params extends z.ZodType, Query extends z.ZodType, Line extends z.ZodType> extends Description {
  readonly method: 'GET'
  readonly params?: Params
  readonly query?: Query
  readonly line: Line
  readonly lines: (given: Given<z.output<Params>, z.output<Query>>) => AsyncIterable<z.input<Line>>
}

/** Makes such a route. */
export const linesRoute = <Line extends z.ZodType, Params extends z.ZodType = typeof nothing, Query extends z.ZodType = typeof nothing>({
  line,
  lines,
  ...definition
}: LinesDefinition<Params, Query, Line>): Route => ({
  ...route<z.ZodUnknown, Params, Query>({ ...definition, output: z.unknown(), handle: async given => ({ data: lines(given) }) }),
  output: line,
  isLines: true,
})

// Lists: the query they take, and pages whose cursors only we can make, for the same query only.
import { z } from 'zod'
import { Problem } from '../errors.ts'
import { isOneOf, type Secrets } from '../secrets.ts'
import { text } from './text.ts'

/** What a page's `meta` says. */
export const listMeta = z.object({ limit: z.int(), next_cursor: z.string().nullable(), total: z.int() })

/**
 * The query of a list: `limit` (1–100, 20), `after`, `sort` (the first of `sorts` unless told) and its own filters by name,
 * which should be optional. Anything else is an error.
 */
export const listQuery = <Sort extends string, Filters extends z.ZodRawShape>({ sorts, filters }: { sorts: readonly [Sort, ...Sort[]]; filters: Filters }) =>
  z.strictObject({
    ...filters,
    limit: z
      .string()
      .regex(/^[1-9]\d{0,2}$/, 'must be a number from 1 to 100')
      .transform(Number)
      .pipe(z.int().min(1).max(100))
      .default(20),
    after: text(1000).optional(),
    sort: z.enum(sorts).default(() => sorts[0]),
  })

interface Query {
  readonly limit: number
  readonly after?: string | undefined
  readonly [filter: string]: unknown
}

/** A list as it is asked for. */
export interface OpenList {
  readonly limit: number
  /** The values of the last row of the page before: what `cursorOf` gave. */
  readonly after?: readonly string[]
  /** Makes the answer of up to `limit + 1` rows: the one too many says that there is a next page. */
  page<Row>(found: { rows: readonly Row[]; total: number; cursorOf: (row: Row) => readonly string[] }): { data: Row[]; meta: z.output<typeof listMeta> }
}

/** Opens lists. */
export interface Lists {
  /** Throws `validation_failed` for a cursor that is not of this list with these filters and this order. */
  open(name: string, query: Query): OpenList
}

const macBytes = 16

/** Makes them. A cursor is `base64url(mac ‖ json)`; the MAC binds it to the list's name, order and filters. */
export const createLists = (secrets: Secrets): Lists => {
  const macsOf = (binding: string, values: string) => secrets.digests('cursor', `${binding}\0${values}`).map(mac => mac.subarray(0, macBytes))
  const opened = (binding: string, cursor: string): readonly string[] => {
    const bytes = Buffer.from(cursor, 'base64url')
    const values = bytes.subarray(macBytes).toString('utf8')
    if (bytes.length <= macBytes || !isOneOf(macsOf(binding, values), bytes.subarray(0, macBytes))) throw wrongCursor()
    return z.array(z.string()).parse(JSON.parse(values))
  }
  return {
    open: (name, { limit, after, ...rest }) => {
      const binding = JSON.stringify([name, Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1))])
      const cursor = (values: readonly string[]) => {
        const json = JSON.stringify(values)
        return Buffer.concat([...macsOf(binding, json).slice(0, 1), Buffer.from(json)]).toString('base64url')
      }
      return {
        limit,
        after: after === undefined ? undefined : opened(binding, after),
        page: ({ rows, total, cursorOf }) => {
          const data = rows.slice(0, limit)
          const last = data.at(-1)
          return { data, meta: { limit, next_cursor: last !== undefined && rows.length > limit ? cursor(cursorOf(last)) : null, total } }
        },
      }
    },
  }
}

const wrongCursor = () => new Problem('validation_failed', { fields: [{ path: 'after', message: 'This is not a cursor of this list.' }] })

// How a service reads one page of a list whose ids grow with time: from the last id of the page before, one row more than asked.

/** A page as a service is asked for it. */
export interface PageRequest {
  readonly limit: number
  /** The id of the last row of the page before. */
  readonly after?: string
  /** Oldest first; else the newest come first. */
  readonly isAscending?: boolean
}

/** Up to `limit + 1` rows, and how many there are in all. */
export interface Found<Row> {
  readonly rows: readonly Row[]
  readonly total: number
}

/** What Prisma's `findMany` needs for the page. Ids are UUIDs of version 7, so their order is the order of creation. */
export const pageOf = <Where extends object>(where: Where, { limit, after, isAscending = false }: PageRequest) => ({
  where: after === undefined ? where : { AND: [where, { id: isAscending ? { gt: after } : { lt: after } }] },
  orderBy: { id: isAscending ? ('asc' as const) : ('desc' as const) },
  take: limit + 1,
})

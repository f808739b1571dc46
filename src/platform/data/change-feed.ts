// Tells caches what was changed, in this process at once and in others within half a second.
//
// A change writes what it changed beside its events, in its own commit: no process that dies and no lost message can keep others from
// learning of it, which Redis's messages could not promise. Whoever listens asks for what is new, in one statement for all caches
// together, over the connection that health has for itself.
import { type Database, statement, type TransactionClient } from './database.ts'
import { createPurge } from './purge.ts'

/** The kinds of targets that some cache holds. A process of an older version writes only those it knows: a new kind is cached for long only in the version after. */
export const toldKinds = ['client', 'resource_server', 'organization', 'connection', 'signing_key'] as const

/** One of them. */
export type ToldKind = (typeof toldKinds)[number]

/** What was changed, as its event tells it: with its `id` and what else names it. */
export interface ChangedTarget {
  readonly kind: string
  readonly target: Readonly<Record<string, unknown>>
}

/** The way from a change to the caches. */
export interface ChangeFeed {
  /** Calls back after each change of these kinds; with `undefined` where some may have been missed. Answers what ends it. */
  on(kinds: readonly ToldKind[], listener: (target: ChangedTarget['target'] | undefined) => void): () => void
  /** Whether everything was told that was committed anywhere until a second ago. */
  isCurrent(): boolean
  /** Writes what other processes shall hear of, in the change's own transaction. */
  write(tx: TransactionClient, changed: readonly ChangedTarget[]): Promise<void>
  /** Tells this process. To be called after the commit. */
  tell(changed: readonly ChangedTarget[]): void
  /** Asks once what others changed. */
  look(): Promise<void>
}

interface Row {
  next: string
  changed: (ChangedTarget & { readonly id: number })[] | null
}

// Rows of transactions that were still open at the last look are read again: nobody can tell whether they were there (PostgreSQL, pg_snapshot_xmin).
// The first look has no last one: it only learns which rows it need not tell of.
const since = statement(
  'changed-targets-since',
  `SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS next,
     (SELECT json_agg(json_build_object('id', id, 'kind', kind, 'target', target)) FROM changed_targets WHERE transaction >= coalesce($1::bigint, pg_snapshot_xmin(pg_current_snapshot())::text::bigint)) AS changed`,
)
const currentMilliseconds = 1000
// Rows are purged later than this, so whoever looks more often misses none.
const longestPauseMilliseconds = 60_000

/** Forgets what everybody has heard of. */
export const purgeChangedTargets = createPurge({ table: 'changed_targets', due: "changed_at < now() - interval '10 minutes'" })

/** Makes it. The embedded database has one process, which tells itself. */
export const createChangeFeed = ({ database, now }: { readonly database: Database; readonly now: () => Date }): ChangeFeed => {
  const listeners = new Set<{ readonly kinds: readonly string[]; readonly listener: (target: ChangedTarget['target'] | undefined) => void }>()
  let lookedAt: number | undefined
  let next: string | null = null
  let seen = new Set<number>()

  // A clock that was set back tells no age.
  const isWithin = (at: number, milliseconds: number) => lookedAt !== undefined && at >= lookedAt && at - lookedAt < milliseconds
  const tell = (changed: readonly ChangedTarget[]) => {
    for (const { kind, target } of changed) for (const { kinds, listener } of listeners) if (kinds.includes(kind)) listener(target)
  }
  const tellAll = () => {
    for (const { listener } of listeners) listener(undefined)
  }
  return {
    on: (kinds, listener) => {
      const one = { kinds, listener }
      listeners.add(one)
      return () => listeners.delete(one)
    },
    isCurrent: () => isWithin(now().getTime(), currentMilliseconds),
    write: async (tx, changed) => {
      const told = onlyTold(changed)
      if (database.embedded || told.length === 0) return
      await tx.$executeRaw`INSERT INTO changed_targets (kind, target)
        SELECT kind, target FROM json_to_recordset(${JSON.stringify(told)}::json) AS told(kind text, target jsonb)`
    },
    tell: changed => tell(onlyTold(changed)),
    look: async () => {
      const startedAt = now().getTime()
      const [row] = await database.runAside<Row>(since, [next])
      if (!row) return
      const hasMissed = !isWithin(startedAt, longestPauseMilliseconds)
      const changed = row.changed ?? []
      if (hasMissed) tellAll()
      else tell(changed.filter(({ id }) => !seen.has(id)))
      seen = new Set(changed.map(({ id }) => id))
      next = row.next
      lookedAt = startedAt
    },
  }
}

const onlyTold = (changed: readonly ChangedTarget[]) =>
  changed.filter(({ kind }) => toldKinds.some(told => told === kind)).map(({ kind, target }) => ({ kind, target }))

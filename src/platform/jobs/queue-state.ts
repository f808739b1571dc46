// How the queue stands, for metrics: what waits, what is late, what was given up, of each kind.
import { type Database, statement } from '../data/database.ts'

/** Of one kind of job. */
export interface KindState {
  readonly kind: string
  /** To be done now or later, or under way. */
  readonly waiting: number
  readonly due: number
  /** Given up. */
  readonly dead: number
  /** For how long the one that is due longest is due. */
  readonly oldestDueSeconds: number
}

const state = statement(
  'jobs-state',
  `SELECT kind, count(*) FILTER (WHERE dead_at IS NULL)::int AS waiting, count(*) FILTER (WHERE dead_at IS NULL AND run_at <= now())::int AS due,
     count(*) FILTER (WHERE dead_at IS NOT NULL)::int AS dead,
     coalesce(extract(epoch FROM now() - min(run_at) FILTER (WHERE dead_at IS NULL AND run_at <= now())), 0)::float8 AS "oldestDueSeconds"
   FROM jobs GROUP BY kind ORDER BY kind`,
)

/** Asks the database. */
export const readQueueState = (database: Database): Promise<readonly KindState[]> => database.run<KindState>(state)

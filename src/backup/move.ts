// Moves a database: copies all of it as it is into an empty one, and changes nothing of where it came from.
import type { Database } from '../platform/data/database.ts'
import { refill } from '../platform/data/refill.ts'
import type { Tally } from '../platform/data/rows.ts'
import { withSnapshot } from '../platform/data/snapshot.ts'

interface Wanted {
  readonly from: Database
  readonly to: Database
  /** Called once all is done but the commit. */
  readonly beforeCommit?: () => void
}

/** Copies it, holds each table against the other, and tells what they hold. Throws a RefillError: then nothing has changed. */
export const move = ({ from, to, beforeCommit }: Wanted): Promise<readonly Tally[]> =>
  withSnapshot(from, { work: source => refill(to, { source, finish: async () => beforeCommit?.() }) })

// Whether the clock of this process goes with the database's, by which everything that is kept expires.
import { type Database, statement } from './database.ts'

/** From here on what signs and verifies by its own clock would refuse what the others issued, and be refused by them. */
export const mostSkewMilliseconds = 30_000

const clock = statement('clock', 'SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS milliseconds')

/** Whether both clocks are within 30 seconds of each other. Throws when the database does not answer. */
export const isClockRight = async ({ database, now }: { database: Pick<Database, 'runAside'>; now: () => Date }): Promise<boolean> => {
  const before = now().getTime()
  const [row] = await database.runAside<{ milliseconds: number }>(clock)
  const after = now().getTime()
  return row !== undefined && row.milliseconds > before - mostSkewMilliseconds && row.milliseconds < after + mostSkewMilliseconds
}

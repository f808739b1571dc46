// Forgetting for good what was deleted long ago, one by one, each in a change of its own.
import { Problem } from '../errors.ts'

/**
 * Calls `purgeOne` for each that is due and answers how many it forgot. One that it refuses with `conflict` was restored, or forgotten
 * by another process, since they were listed: it is passed over, and the others are not held up by it.
 */
export const purgeEach = async <Due>(due: readonly Due[], purgeOne: (one: Due) => Promise<unknown>): Promise<number> => {
  let purged = 0
  for (const one of due) {
    try {
      await purgeOne(one)
      purged += 1
    } catch (error) {
      if (!(error instanceof Problem && error.code === 'conflict')) throw error
    }
  }
  return purged
}

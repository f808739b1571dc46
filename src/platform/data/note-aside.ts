// Notes beside a request what it could do without, such as that something was used.
import { asideOfDeadline } from '../deadline.ts'
import { isReadOnly } from './failures.ts'

/** Runs it in no time of the request's own, for it is no change that the request asks for; while the database takes no writes it is left. */
export const noteAside = async (note: () => Promise<unknown>): Promise<void> => {
  try {
    await asideOfDeadline(note)
  } catch (error) {
    if (!isReadOnly(error)) throw error
  }
}

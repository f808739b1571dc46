// Gives an account the profile of the person whom it turns out to be, in the transaction of a change: nothing stays of who made it.
import type { ReplaceProfile } from './user.ts'
import { fromPrisma } from './user-row.ts'

/** Does it. */
export const replaceProfile: ReplaceProfile = async (tx, record, { userId, name = null, locale = null }) => {
  const row = await tx.user.update({ where: { id: userId }, data: { name, locale, picture: null } })
  record('user.updated', { ...row, changed: ['full_name', 'locale', 'picture'] })
  return fromPrisma(row)
}

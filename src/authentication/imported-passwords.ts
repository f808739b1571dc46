// Passwords of users who move in, as hashes that another system made.
import type { ForeignPasswords } from '../users/imports.ts'
import { readHash } from './foreign-hashes.ts'

interface Needs {
  readonly now: () => Date
  readonly newUuid: () => string
}

/** Takes the hashes that can be verified within bounds, and keeps them as they are until the first sign-in. */
export const createImportedPasswords = ({ now, newUuid }: Needs): ForeignPasswords => ({
  faultOf: hash => {
    const read = readHash(hash)
    return 'fault' in read ? read.fault : undefined
  },
  keep: async (tx, passwords) => {
    if (passwords.length === 0) return
    const given = JSON.stringify(passwords.map(({ userId, hash }) => ({ id: newUuid(), user_id: userId, secret: hash })))
    const at = now()
    await tx.$executeRaw`
      INSERT INTO authentication_methods (id, user_id, kind, secret, created_at, updated_at)
      SELECT id, user_id, 'password', secret, ${at}::timestamptz, ${at}::timestamptz
      FROM json_to_recordset(${given}::json) AS given (id uuid, user_id uuid, secret text)`
  },
})

// Passwords of users who move in, as hashes that another system made.
import type { ForeignPasswords } from '../users/imports.ts'
import { readHash } from './foreign-hashes.ts'

/** Takes the hashes that can be verified within bounds, and keeps them as they are until the first sign-in. */
export const importedPasswords: ForeignPasswords = {
  faultOf: hash => {
    const read = readHash(hash)
    return 'fault' in read ? read.fault : undefined
  },
  keep: async (tx, passwords) => {
    if (passwords.length === 0) return
    await tx.authenticationMethod.createMany({ data: passwords.map(({ userId, hash }) => ({ userId, kind: 'password', secret: hash })) })
  },
}

// Where a person has signed in, so that a sign-in from elsewhere is told to them.
import type { PostNotice } from '../mails/notices.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import { createPurge } from '../platform/data/purge.ts'
import { networkOf } from '../platform/http/limit.ts'
import { hashOf } from '../platform/secrets.ts'

/** Where a sign-in came from. */
export interface Place {
  /** By what the browser is known; a program has no such thing. */
  readonly deviceId?: string
  readonly ip?: string
  readonly userAgent?: string
  /** What they are spoken to in there, as a BCP 47 tag. */
  readonly language?: string | undefined
}

/** The devices of people. */
export interface Devices {
  /** Notes in the transaction of a sign-in where it came from. Who has signed in elsewhere before, and never there, is told. */
  note(tx: TransactionClient, signIn: { readonly userId: string; readonly from: Place }): Promise<void>
}

/** The key of a place: a browser's own, else what the program calls itself, of whatever version, and the network it is in. */
export const deviceKey = ({ deviceId, ip = '', userAgent = '' }: Place): Uint8Array<ArrayBuffer> =>
  new Uint8Array(hashOf('device', deviceId === undefined ? `program\0${userAgent.replace(/\d+(?:[._]\d+)*/g, '')}\0${networkOf(ip)}` : `browser\0${deviceId}`))

/** Makes the service. */
export const createDevices = ({ notify }: { notify: PostNotice }): Devices => ({
  note: async (tx, { userId, from }) => {
    const key = deviceKey(from)
    // The last look is at what was there before the statement.
    const [noted] = await tx.$queryRaw<{ isNew: boolean; hasOthers: boolean }[]>`
      WITH seen AS (UPDATE known_devices SET seen_at = now() WHERE user_id = ${userId}::uuid AND key = ${key} RETURNING key),
      made AS (INSERT INTO known_devices (user_id, key) SELECT ${userId}::uuid, ${key} WHERE NOT EXISTS (SELECT 1 FROM seen) ON CONFLICT DO NOTHING RETURNING key)
      SELECT EXISTS (SELECT 1 FROM made) AS "isNew", EXISTS (SELECT 1 FROM known_devices WHERE user_id = ${userId}::uuid) AS "hasOthers"`
    if (!noted?.isNew || !noted.hasOthers) return
    await notify(tx, { kind: 'new_device', userId, actor: { ...from, userId } })
    // Whoever comes back after years is told too, so what is old goes only when something new is there.
    await tx.$executeRaw`DELETE FROM known_devices WHERE user_id = ${userId}::uuid AND seen_at < now() - interval '1 year'`
  },
})

/** Forgets where nobody came from for two years. */
export const purgeDevices = createPurge({ table: 'known_devices', key: 'user_id, key', due: "seen_at < now() - interval '2 years'" })

/** Forgets where somebody signed in to an account that was not theirs. */
export const eraseDevices = async (tx: TransactionClient, userId: string): Promise<void> => {
  await tx.knownDevice.deleteMany({ where: { userId } })
}

// Accounts that are nobody's: what a request is for whose address nobody has, so that its client cannot tell.
import type { FindAccount, KoaContextWithOIDC } from 'oidc-provider'
import type { Secrets } from '../platform/secrets.ts'

/** The stand-ins of requests. */
export interface StandIns {
  /** The id of nobody with this address: the same each time, so that what is counted is counted as for somebody. */
  make(ctx: KoaContextWithOIDC, email: string): string
  is(ctx: KoaContextWithOIDC, accountId: string): boolean
  /** Finds an account, or the stand-in of this very request. */
  around(find: FindAccount): FindAccount
}

/** Makes them. */
export const createStandIns = (secrets: Secrets): StandIns => {
  const made = new WeakMap<object, string>()
  const is: StandIns['is'] = (ctx, accountId) => made.get(ctx) === accountId
  return {
    is,
    make: (ctx, email) => {
      const id = toUuid(secrets.digest('stand-in', email))
      made.set(ctx, id)
      return id
    },
    around: find => async (ctx, sub, token) => {
      const account = await find(ctx, sub, token)
      return account ?? (is(ctx, sub) ? { accountId: sub, claims: async () => ({ sub }) } : undefined)
    },
  }
}

// RFC 9562 §5.8: version 8, for ids of one's own making.
const toUuid = (digest: Buffer): string => {
  const bytes = Buffer.from(digest.subarray(0, 16))
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

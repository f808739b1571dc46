// A user as tokens tell of them.
import type { Account, FindAccount } from 'oidc-provider'
import type { User } from '../users/user.ts'
import type { Users } from '../users/users.ts'
import type { Demands } from './demands.ts'

/** The claims each scope asks for (OpenID Connect Core §5.4). */
export const claimsByScope = {
  openid: ['sub', 'auth_time', 'acr', 'amr'],
  email: ['email', 'email_verified'],
  profile: ['name', 'picture', 'locale', 'updated_at'],
}

/** Finds the account of a subject; a deleted or suspended user has none, so that nothing is issued to them. */
export const createFindAccount =
  ({ users, demands }: { users: Users; demands: Pick<Demands, 'isOutdated'> }): FindAccount =>
  async (_ctx, sub, token) => {
    const user = await users.find(sub)
    if (!user || user.isSuspended) return undefined
    // A second factor that is required by now was not proven: the client has to send the person through the sign-in again.
    if (token?.kind === 'RefreshToken' && (await demands.isOutdated({ userId: sub, amr: token.amr ?? [], clientId: token.clientId }))) return undefined
    return toAccount(user)
  }

const toAccount = (user: User): Account => ({
  accountId: user.id,
  claims: async () => ({
    sub: user.id,
    email: user.email,
    email_verified: user.isEmailVerified,
    name: user.name,
    picture: user.picture,
    locale: user.locale,
    updated_at: Math.floor(user.updatedAt.getTime() / 1000),
  }),
})

// A user as tokens tell of them.
import type { Account, FindAccount } from 'oidc-provider'
import type { TokenMembership } from '../organizations/memberships.ts'
import { strings } from '../platform/values.ts'
import { isStruck } from '../users/factor-strikes.ts'
import type { User } from '../users/user.ts'
import type { Users } from '../users/users.ts'
import type { FindActorClaims } from './agents.ts'
import type { Demands } from './demands.ts'
import type { TokenOrganizations } from './token-organizations.ts'

/** The claims each scope asks for (OpenID Connect Core §5.4). */
export const claimsByScope = {
  // What a token is for is told wherever an organization was asked for, and who acts wherever somebody does: in the ID token as at userinfo.
  openid: ['sub', 'auth_time', 'acr', 'amr', 'act', 'org_id', 'org_slug', 'org_roles', 'org_permissions'],
  email: ['email', 'email_verified'],
  profile: ['name', 'picture', 'locale', 'updated_at'],
  organizations: ['organizations'],
}

interface Needs {
  readonly users: Users
  readonly demands: Pick<Demands, 'isOutdated'>
  readonly tokenOrganizations: TokenOrganizations
  readonly findActorClaims: FindActorClaims
}

const memberships = new WeakMap<object, TokenMembership>()

/** What the person is in the organization of the token for which the account was found; `undefined`: it is for none. */
export const membershipOf = (account: object): TokenMembership | undefined => memberships.get(account)

/**
 * Finds the account of a subject; a deleted or suspended user has none, so that nothing is issued to them, and for a token of an
 * organization whoever is no member of it has none either.
 */
export const createFindAccount =
  ({ users, demands, tokenOrganizations, findActorClaims }: Needs): FindAccount =>
  async (ctx, sub, token) => {
    const user = await users.find(sub)
    if (!user || user.isSuspended) return undefined
    const organizationId = token && (await tokenOrganizations.idOf(ctx, token))
    const standing = token && (await tokenOrganizations.standingOf({ userId: sub, clientId: token.clientId, organizationId }))
    if (standing?.isOver) return undefined
    if (isOfRemovedFactor(user, token)) return undefined
    // A second factor that is required by now was not proven: the client has to send the person through the sign-in again.
    const proven = token?.kind === 'RefreshToken' ? { userId: sub, amr: token.amr ?? [], clientId: token.clientId, organizationId } : undefined
    if (proven && (await demands.isOutdated(proven))) return undefined
    const account: Account = {
      accountId: user.id,
      claims: async (_use, scope, claims) => ({
        ...toClaims(user),
        ...(await findActorClaims(ctx, token)),
        ...(await tokenOrganizations.claimsOf(ctx.oidc.entities.Grant)),
        ...(scope.split(' ').includes('organizations') || 'organizations' in claims ? { organizations: await tokenOrganizations.list(sub) } : {}),
      }),
    }
    if (standing?.membership) memberships.set(account, standing.membership)
    return account
  }

// Whoever began what is issued might not see yet that the factor was removed: for a second a user is remembered, and a request takes its time.
const underWaySeconds = 2

// Of a code, or of what a device or a backchannel request was approved by; and of a refresh token that was issued on one at the moment of the removal.
const isOfRemovedFactor = ({ factorStrikes }: User, token: Parameters<FindAccount>[2]): boolean =>
  token !== undefined && isStruck(factorStrikes, { amr: 'amr' in token ? strings(token.amr) : [], at: token.iat - underWaySeconds })

const toClaims = (user: User) => ({
  sub: user.id,
  email: user.email,
  email_verified: user.isEmailVerified,
  name: user.name,
  picture: user.picture,
  locale: user.locale,
  updated_at: Math.floor(user.updatedAt.getTime() / 1000),
})

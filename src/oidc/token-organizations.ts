// The organization that a token is for: told in it as it is at this moment, and over for whoever is no member any more.
import type { AccessToken, Grant, KoaContextWithOIDC } from 'oidc-provider'
import { isForeign } from '../clients/agent.ts'
import type { Clients } from '../clients/clients.ts'
import type { Memberships, TokenMembership } from '../organizations/memberships.ts'
import type { TokenClaims } from './token-claims.ts'

/** What is known of a token by whoever asks for its account. */
interface TokenLike {
  readonly kind: string
  readonly grantId?: string | undefined
}

/** How a token stands with its organization. */
export interface TokenStanding {
  /** Whether the user is no member of it, or of the one whose members alone the client is open to, or another than whose agent it is. */
  readonly isOver: boolean
  /** What the user is in it; absent: the token is for none. */
  readonly membership?: TokenMembership | undefined
}

/** The organizations of tokens. */
export interface TokenOrganizations {
  /** The organization of a token, by its grant; `undefined`: it is for none. */
  idOf(ctx: KoaContextWithOIDC, token: TokenLike): Promise<string | undefined>
  /** What the user is in the token's organization, and whether the token is over. */
  standingOf(token: { readonly userId: string; readonly clientId?: string | undefined; readonly organizationId?: string | undefined }): Promise<TokenStanding>
  /** `org_id`, `org_slug`, `org_roles` and `org_permissions` of what is issued under a grant; nothing where it is for none. */
  claimsOf(grant: Grant | undefined): Promise<Readonly<Record<string, unknown>>>
  /** The claim `organizations`: all that the user is a member of. */
  list(userId: string): Promise<readonly { readonly id: string; readonly slug: string; readonly name: string; readonly roles: readonly string[] }[]>
  /** The same in access tokens. */
  readonly claims: TokenClaims
}

interface Needs {
  readonly clients: Pick<Clients, 'find'>
  readonly memberships: Memberships
}

/** Makes it. Tokens for none, of clients that are open to everybody, cost no query. */
export const createTokenOrganizations = ({ clients, memberships }: Needs): TokenOrganizations => {
  const claimsOf = async (grant: Grant | undefined) => {
    if (grant?.organizationId === undefined || grant.accountId === undefined) return {}
    const membership = await memberships.find({ userId: grant.accountId, organization: grant.organizationId })
    return membership ? organizationClaims(membership) : {}
  }

  return {
    idOf: async ({ oidc }, token) => {
      const { Grant: known } = oidc.entities
      if (known && known.jti === token.grantId) return known.organizationId
      // Userinfo asks for the account before the grant: an access token says itself what it is for.
      if (token.kind === 'AccessToken') return textOf((token as AccessToken).extra?.org_id)
      return token.grantId === undefined ? undefined : (await oidc.provider.Grant.find(token.grantId))?.organizationId
    },
    standingOf: async ({ userId, clientId, organizationId }) => {
      const registration = clientId === undefined ? undefined : await clients.find(clientId)
      if (isForeign(registration, userId)) return { isOver: true }
      const owner = registration?.isMembersOnly ? registration.organizationId : undefined
      const needed = [...new Set([organizationId, owner])].filter(id => id !== undefined)
      const found = await Promise.all(needed.map(organization => memberships.find({ userId, organization })))
      return { isOver: found.includes(undefined), membership: found.find(one => one?.organizationId === organizationId) }
    },
    claimsOf,
    list: async userId => (await memberships.list(userId)).map(({ organizationId: id, slug, name, roles }) => ({ id, slug, name, roles })),
    claims: ({ oidc: { entities } }, token) =>
      token.kind === 'AccessToken' && entities.Grant?.jti === token.grantId && entities.Grant?.organizationId !== undefined
        ? claimsOf(entities.Grant)
        : undefined,
  }
}

/** The claims of what is for an organization. */
export const organizationClaims = ({ organizationId, slug, roles, permissions }: TokenMembership) => ({
  org_id: organizationId,
  org_slug: slug,
  org_roles: roles,
  org_permissions: permissions,
})

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

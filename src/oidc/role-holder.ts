// Whose role decides what a token that is about to be issued may hold, where roles decide: the person's, in the organization it is for.
import type { KoaContextWithOIDC } from 'oidc-provider'
import { multiFactor } from '../mfa/authenticator.ts'
import { sourceOf } from './token-claims.ts'

/** Somebody with a role in an organization. */
export interface RoleHolder {
  readonly userId: string
  readonly organizationId: string
  /** Whether the person proved two factors. */
  readonly hasTwoFactors: boolean
}

const told = new WeakMap<object, RoleHolder | undefined>()

/** Tells it for a request whose grant is yet to be made; `undefined`: the token is for no organization. */
export const tellRoleHolder = ({ oidc }: KoaContextWithOIDC, holder: RoleHolder | undefined): void => {
  told.set(oidc, holder)
}

/** The holder that was told, else that of the request's grant; `undefined`: the token is for no organization. */
export const roleHolderOf = ({ oidc }: KoaContextWithOIDC): RoleHolder | undefined => {
  if (told.has(oidc)) return told.get(oidc)
  const { organizationId, accountId } = oidc.entities.Grant ?? {}
  if (organizationId === undefined || accountId === undefined) return undefined
  const amr = sourceOf(oidc)?.amr ?? []
  return { userId: accountId, organizationId, hasTwoFactors: amr.includes(multiFactor) }
}

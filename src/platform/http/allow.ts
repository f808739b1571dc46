// Whether a caller may use a route: the one check of permissions.
import { type Actor, can, canSomewhere, seesOrganization } from '../actor.ts'
import { Problem } from '../errors.ts'
import type { Route } from './route.ts'

type Guarded = Pick<Route, 'permission' | 'within'>

/** Throws `unauthenticated`, and what {@link mustHold} throws. */
export const allow = ({ permission, within }: Guarded, { actor, params }: { actor: Actor; params: Readonly<Record<string, string>> }): void => {
  if (permission === undefined) return
  if (actor.kind === 'anonymous') throw new Problem('unauthenticated')
  if (permission === 'authenticated') return
  if (permission === 'signed_in') {
    // What an app or a key was given to do is never to be the person themselves.
    if (actor.sessionId === undefined)
      throw new Problem('forbidden', { fields: [{ path: '', message: 'Only the person themselves may do this, signed in: no app, agent or key for them.' }] })
    return
  }
  if (within === 'given') {
    if (canSomewhere(actor, permission)) return
    const isWithheld = [...(actor.memberships?.values() ?? [])].some(({ withheld }) => withheld?.has(permission))
    throw new Problem(isWithheld ? 'second_factor_required' : 'forbidden')
  }
  mustHold(actor, { permission, organizationId: within === undefined ? undefined : (params.id ?? '').toLowerCase() })
}

/**
 * Throws `second_factor_required` for a member whose session lacks the one that the organization requires, else `forbidden`, or
 * `not_found` where the organization may not be told to exist.
 */
export const mustHold = (actor: Actor, { permission, organizationId }: { permission: string; organizationId?: string | undefined }): void => {
  if (organizationId !== undefined && actor.memberships?.get(organizationId)?.withheld) throw new Problem('second_factor_required')
  if (can(actor, permission, organizationId)) return
  throw new Problem(organizationId !== undefined && !seesOrganization(actor, organizationId) ? 'not_found' : 'forbidden')
}

/** Throws `second_factor_required` for a person who asks others for a second factor in a session without one: nobody locks themselves out unawares. */
export const mustHaveTwoFactors = ({ kind, hasTwoFactors = false }: Actor): void => {
  if (kind === 'user' && !hasTwoFactors) throw new Problem('second_factor_required')
}

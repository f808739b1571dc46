// Whether a caller may use a route: the one check of permissions.
import { type Actor, can, canSomewhere, seesOrganization } from '../actor.ts'
import { Problem } from '../errors.ts'
import type { Route } from './route.ts'

type Guarded = Pick<Route, 'permission' | 'within'>

/** Throws `unauthenticated`, `forbidden`, or `not_found` where the organization may not be told to exist. */
export const allow = ({ permission, within }: Guarded, { actor, params }: { actor: Actor; params: Readonly<Record<string, string>> }): void => {
  if (permission === undefined) return
  if (actor.kind === 'anonymous') throw new Problem('unauthenticated')
  if (permission === 'authenticated') return
  if (permission === 'signed_in') {
    // What an app or a key was given to do is never to be the person themselves.
    if (actor.sessionId === undefined) throw new Problem('forbidden')
    return
  }
  if (within === 'given') {
    if (!canSomewhere(actor, permission)) throw new Problem('forbidden')
    return
  }
  mustHold(actor, { permission, organizationId: within === undefined ? undefined : (params.id ?? '').toLowerCase() })
}

/** Throws `forbidden`, or `not_found` where the organization may not be told to exist. */
export const mustHold = (actor: Actor, { permission, organizationId }: { permission: string; organizationId?: string | undefined }): void => {
  if (can(actor, permission, organizationId)) return
  throw new Problem(organizationId !== undefined && !seesOrganization(actor, organizationId) ? 'not_found' : 'forbidden')
}

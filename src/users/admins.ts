// Who may touch the administrators of the system: people who are some themselves. A key or an app for itself may not, whatever it
// was given: who holds a machine's secret would else make an administrator of anybody, or become one by another password.
import { type Actor, can } from '../platform/actor.ts'
import { Problem } from '../platform/errors.ts'

/** Throws `forbidden` where the user is, was or would be an administrator and the caller may not touch one. */
export type MustAdminister = (actor: Actor, user: { readonly isAdmin?: boolean }) => void

/** The check. The server itself may. */
export const mustAdminister: MustAdminister = (actor, { isAdmin = false }) => {
  if (!isAdmin || actor.kind === 'system') return
  if (actor.userId === undefined || !can(actor, 'admins:write')) throw new Problem('forbidden')
}

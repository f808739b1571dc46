// Who may change what of a connection.
import { type Actor, can } from '../platform/actor.ts'
import { Problem } from '../platform/errors.ts'
import type { ConnectionChanges, ConnectionRow } from './administered.ts'

/**
 * Whoever the system believes, or is linked to already, can become anybody of theirs: only who may make administrators decides that.
 * Throws `forbidden`.
 */
export const mustBeAdministrator = (actor: Actor): void => {
  if (actor.kind !== 'system' && !can(actor, 'admins:write')) throw new Problem('forbidden')
}

/** Throws `connection_of_settings` for what the environment says, and `forbidden`. */
export const mustBeChangeable = (actor: Actor, { before, changes }: { before: ConnectionRow; changes: ConnectionChanges }): void => {
  const isRedrafted = changes.settings !== undefined || changes.secrets !== undefined
  if (before.origin === 'settings' && isRedrafted) throw new Problem('connection_of_settings')
  if (before.organizationId === null && (changes.settings !== undefined || changes.trustsEmails)) mustBeAdministrator(actor)
}

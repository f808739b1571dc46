// Who may make or change a connection: whoever says who somebody is could become anybody of theirs.
import type { MustHoldRoleNames } from '../organizations/handing.ts'
import { type Actor, can } from '../platform/actor.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import type { ConnectionChanges, ConnectionRow } from './administered.ts'
import { type MembershipRule, membershipSchema, rolesOf } from './connection.ts'

/** What is done to a connection: made, where nothing was before; changed; or brought back. */
export interface Doing {
  readonly actor: Actor
  readonly organizationId?: string | undefined
  readonly before?: ConnectionRow
  readonly changes: Pick<ConnectionChanges, 'settings' | 'secrets' | 'trustsEmails' | 'isDisabled'> & { readonly membership?: MembershipRule | undefined }
}

/**
 * Throws `forbidden` for who may not do it, and `validation_failed` for a role that the organization lacks. Its organization has to be
 * locked. Of an organization: who it is, what it hands out and that it is used is said by people alone who hold what an owner does;
 * what else it is, by who holds the roles that it hands out. Of the system: by who may make administrators, where the system would come
 * to believe a provider.
 */
export type MustBeAllowed = (tx: TransactionClient, doing: Doing) => Promise<void>

/** Makes the check. */
export const createMustBeAllowed =
  (mustHoldRoleNames: MustHoldRoleNames): MustBeAllowed =>
  async (tx, { actor, organizationId, before, changes }) => {
    if (organizationId === undefined) return mustBeBelievable(actor, { before, changes })
    const isVouching = !before || isRedrafted(changes) || changes.membership !== undefined || isEnabled(before, changes)
    // A key may hold every permission of an owner, and still is nobody who could be asked.
    if (isVouching && actor.kind !== 'system' && actor.userId === undefined) throw new Problem('forbidden')
    const given = [...rolesOf(changes.membership), ...(isVouching ? ['owner'] : [])]
    const kept = before ? rolesOf(membershipSchema.parse(before.membership)) : []
    await mustHoldRoleNames(tx, { actor, organizationId, given, kept })
  }

/** Whether the provider is another one then, or goes by other secrets. */
export const isRedrafted = ({ settings, secrets }: Pick<ConnectionChanges, 'settings' | 'secrets'>): boolean => settings !== undefined || secrets !== undefined

// One that is brought back was as good as disabled.
const isEnabled = ({ disabledAt, deletedAt }: ConnectionRow, { isDisabled }: Doing['changes']) => isDisabled === false && (disabledAt ?? deletedAt) !== null

// Whoever the system believes, or is linked to already, can become anybody of theirs: only who may make administrators decides that.
const mustBeBelievable = (actor: Actor, { before, changes }: Pick<Doing, 'before' | 'changes'>) => {
  const isBelievedAgain = before?.trustsEmails && changes.trustsEmails !== false && isEnabled(before, changes)
  const isRepointed = before !== undefined && changes.settings !== undefined
  if ((changes.trustsEmails || isBelievedAgain || isRepointed) && actor.kind !== 'system' && !can(actor, 'admins:write')) throw new Problem('forbidden')
}

// Whether a caller may still do what they could when their request was identified, asked in the transaction of each of their changes.
//
// Between the two lie queues (hashing) and locks, in which whoever asks may be suspended, demoted or signed out; after that was answered nothing
// of theirs commits. So each change of a known caller makes a trip more, at its end: it locks the rows of the user, the session and the key FOR KEY
// SHARE, and whoever ends what rests on one locks it FOR UPDATE first; a membership and its role FOR SHARE, against whoever changes them. Either
// the ending waits for this commit, or it is seen here. It is asked last and never waits, so that nobody waits in a circle with whoever
// ends it, who holds more than these rows: one that is being ended at this moment is `busy`. A change that takes authority away asks before it does
// (`holdAuthority`), as it may be the caller's own. Who is nobody yet pays nothing: no sign-in, no token.
import type { Actor } from '../platform/actor.ts'
import { type ActAs, currentContext, type HoldAuthority, runFor } from '../platform/context.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import { type StandingRow, toStanding } from './standing.ts'

/** What is looked at: the organizations, and whether the caller themselves were before. */
interface Look {
  readonly organizationIds: readonly string[]
  readonly isOfOrganizationsAlone: boolean
  readonly isLocked: boolean
}

/** What the caller is refused for, as far as can be seen; with locks also for what is being ended. */
type FindLoss = (tx: TransactionClient, look: Look) => Promise<Problem | undefined>

/** Runs what a caller asks for, and holds their authority in each change that it makes. */
export const actAs: ActAs = (actor, work) => runFor({ ...currentContext(), holdAuthority: holdAuthorityOf(actor) }, work)

// Who has no authority that could end has nothing to hold.
const holdAuthorityOf = (actor: Actor): HoldAuthority | undefined => {
  const findLoss = findLossOf(actor)
  if (!findLoss) return undefined
  const held = new WeakMap<TransactionClient, ReadonlySet<string>>()
  return async (tx, organizationIds = []) => {
    const known = held.get(tx)
    const missing = organizationIds.filter(id => !known?.has(id) && restsOn(actor, id))
    if (known && missing.length === 0) return
    const look = { organizationIds: missing, isOfOrganizationsAlone: known !== undefined }
    if (await findLoss(tx, { ...look, isLocked: true }))
      throw (await findLoss(tx, { ...look, isLocked: false })) ?? new Problem('busy', { retryAfterSeconds: 1 })
    held.set(tx, new Set([...(known ?? []), ...missing]))
  }
}

const findLossOf = (actor: Actor): FindLoss | undefined => {
  if (actor.userId !== undefined) return ofPerson(actor, actor.userId)
  return actor.kind === 'api_key' && actor.id !== undefined ? ofKey(actor.id) : undefined
}

// Whoever may do all of it in the whole system does it by that.
const restsOn = ({ kind, memberships, permissions }: Actor, organizationId: string) =>
  kind === 'user' && [...(memberships?.get(organizationId)?.permissions ?? [])].some(permission => !permissions.has(permission))

const ofKey =
  (id: string): FindLoss =>
  async (tx, { isLocked }) => {
    const rows = await tx.$queryRawUnsafe<unknown[]>(
      `SELECT k.id FROM api_keys k WHERE k.id = $1::uuid AND k.revoked_at IS NULL
         AND NOT EXISTS (SELECT 1 FROM organizations o WHERE o.id = k.organization_id AND o.deleted_at IS NOT NULL)
       ${isLocked ? 'FOR KEY SHARE OF k SKIP LOCKED' : ''}`,
      id,
    )
    return rows.length === 0 ? new Problem('unauthenticated') : undefined
  }

const ofPerson =
  (actor: Actor, userId: string): FindLoss =>
  async (tx, { organizationIds, isOfOrganizationsAlone, isLocked }) => {
    const { sessionId } = actor
    const isBySession = sessionId !== undefined && !isOfOrganizationsAlone
    const person = isOfOrganizationsAlone ? ofAnyone : living(isBySession, isLocked)
    const values = [userId, organizationIds, ...(isBySession ? [sessionId] : [])]
    const [row] = await tx.$queryRawUnsafe<StandingRow[]>(`WITH person AS (${person}), ${places(isLocked)}`, ...values)
    if (!row) return new Problem('unauthenticated')
    const { permissions, memberships, accessEndedAt } = toStanding(row, true)
    const isOfToken = sessionId === undefined && !isOfOrganizationsAlone
    if (isOfToken && accessEndedAt?.getTime() !== actor.accessEndedAt?.getTime()) return new Problem('unauthenticated')
    const isLost =
      (!isOfOrganizationsAlone && !hasAll(permissions, actor.permissions)) ||
      organizationIds.some(id => !hasAll(memberships.get(id)?.permissions, actor.memberships?.get(id)?.permissions))
    return isLost ? new Problem('forbidden') : undefined
  }

const hasAll = (held: ReadonlySet<string> = new Set(), wanted: ReadonlySet<string> = new Set()) => [...wanted].every(name => held.has(name))

const ofAnyone = 'SELECT system_role, access_ended_at FROM users WHERE id = $1::uuid'

const living = (isBySession: boolean, isLocked: boolean) =>
  `SELECT u.system_role, u.access_ended_at FROM users u ${isBySession ? 'JOIN sessions s ON s.user_id = u.id AND s.sid = $3 AND s.ended_at IS NULL' : ''}
   WHERE u.id = $1::uuid AND u.deleted_at IS NULL AND u.suspended_at IS NULL ${isLocked ? `FOR KEY SHARE OF u${isBySession ? ', s' : ''} SKIP LOCKED` : ''}`

// A second factor that an organization came to require since is asked for at the next request.
const places = (isLocked: boolean) => {
  const lock = isLocked ? 'FOR SHARE SKIP LOCKED' : ''
  return `member AS (SELECT organization_id, role, role_id FROM organization_members WHERE user_id = $1::uuid AND organization_id = ANY ($2::uuid[]) ${lock}),
   own AS (SELECT id, name, permissions FROM organization_roles WHERE id IN (SELECT role_id FROM member) ${lock})
   SELECT p.system_role, p.access_ended_at, coalesce((
     SELECT json_object_agg(m.organization_id, json_build_object('role', coalesce(r.name, m.role), 'permissions', r.permissions, 'is_mfa_required', false))
     FROM member m JOIN organizations o ON o.id = m.organization_id AND o.deleted_at IS NULL LEFT JOIN own r ON r.id = m.role_id
     WHERE m.role_id IS NULL OR r.id IS NOT NULL
   ), '{}'::json) AS memberships FROM person p`
}

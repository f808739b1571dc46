// Whether somebody proved themselves a moment ago in the session they act in, by both factors where they have two: what is sensitive asks for it.
import type { Actor } from '../platform/actor.ts'
import type { Change, RecordEvent } from '../platform/data/change.ts'
import { type Database, statement, type TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'

/** The proofs of sessions. */
export interface RecentProofs {
  /**
   * Throws `reauthentication_required` when the caller's session was last proven more than five minutes ago, by one factor where the
   * caller has enrolled a second of whatever kind, by an organization's provider for that organization alone, or there is none.
   */
  verify(actor: Actor): Promise<void>
  /** Throws `reauthentication_required` when the caller's session was proven by one factor and the caller has enrolled a second, however long ago. */
  verifyFactors(actor: Actor): Promise<void>
  /** Whether {@link RecentProofs.verify} would let the caller do it. */
  isRecent(actor: Pick<Actor, 'sessionId' | 'userId'>): Promise<boolean>
  /** Notes that the caller proved themselves again in their session, and how. Throws `forbidden` where there is none. */
  renew(actor: Actor, amr: readonly string[]): Promise<void>
  /** The same as part of another change, so that nobody sees the one without the other. */
  renewIn(tx: TransactionClient, record: RecordEvent, proof: { readonly actor: Actor; readonly amr: readonly string[] }): Promise<void>
}

const recentSeconds = 300

// However long ago where nobody says within how many seconds.
const recent = statement(
  'session-proven',
  `SELECT 1 FROM sessions s WHERE sid = $1 AND user_id = $2 AND ended_at IS NULL AND confined_to IS NULL AND ($3::float8 IS NULL OR proven_at > now() - make_interval(secs => $3))
     AND ('mfa' = ANY (amr) OR NOT EXISTS (
       SELECT 1 FROM authenticators a WHERE a.user_id = s.user_id AND a.confirmed_at IS NOT NULL AND a.deleted_at IS NULL))`,
)

interface Needs {
  readonly database: Database
  readonly change: Change
  /** Tells the protocol what a browser's session was proven by, in the change's own transaction. */
  readonly tellProtocol: (tx: TransactionClient, session: { sid: string; amr: readonly string[] }) => Promise<void>
  readonly now: () => Date
}

/** Makes the service. */
export const createRecentProofs = ({ database, change, tellProtocol, now }: Needs): RecentProofs => {
  const renewIn: RecentProofs['renewIn'] = async (tx, record, { actor, amr }) => {
    const { sessionId: sid, userId } = actor
    if (sid === undefined || userId === undefined) throw new Problem('forbidden')
    const session = await tx.session.findFirst({ where: { sid, userId, endedAt: null } })
    if (!session) throw new Problem('unauthenticated')
    const proven = [...new Set([...session.amr, ...amr])]
    await tx.session.update({ where: { id: session.id }, data: { provenAt: now(), amr: proven } })
    if (session.kind === 'browser') await tellProtocol(tx, { sid, amr: proven })
    record('session.proven', { id: session.id, kind: session.kind, user_id: userId })
  }
  const isProven = async ({ sessionId, userId }: Pick<Actor, 'sessionId' | 'userId'>, withinSeconds: number | null) =>
    sessionId !== undefined && userId !== undefined && (await database.run(recent, [sessionId, userId, withinSeconds])).length > 0
  const verifyWithin = async (actor: Actor, seconds: number | null) => {
    if (!(await isProven(actor, seconds))) throw new Problem('reauthentication_required')
  }
  return {
    verify: actor => verifyWithin(actor, recentSeconds),
    verifyFactors: actor => verifyWithin(actor, null),
    isRecent: session => isProven(session, recentSeconds),
    renewIn,
    renew: (actor, amr) => change(actor, (tx, record) => renewIn(tx, record, { actor, amr })),
  }
}

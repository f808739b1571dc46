// Whether somebody proved themselves a moment ago in the session they act in: what is sensitive asks for it.
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import { type Database, statement } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'

/** The proofs of sessions. */
export interface RecentProofs {
  /** Throws `reauthentication_required` when the caller's session was last proven more than five minutes ago, or there is none. */
  verify(actor: Actor): Promise<void>
  /** Notes that the caller proved themselves again in their session, and how. Throws `forbidden` where there is none. */
  renew(actor: Actor, amr: readonly string[]): Promise<void>
}

const recentSeconds = 300

const recent = statement(
  'session-proven',
  'SELECT 1 FROM sessions WHERE sid = $1 AND user_id = $2 AND ended_at IS NULL AND proven_at > now() - make_interval(secs => $3)',
)

/** Makes the service. */
export const createRecentProofs = ({ database, change, now }: { database: Database; change: Change; now: () => Date }): RecentProofs => ({
  verify: async ({ sessionId, userId }) => {
    if (sessionId === undefined || userId === undefined) throw new Problem('reauthentication_required')
    const rows = await database.run(recent, [sessionId, userId, recentSeconds])
    if (rows.length === 0) throw new Problem('reauthentication_required')
  },
  renew: async (actor, amr) => {
    const { sessionId: sid, userId } = actor
    if (sid === undefined || userId === undefined) throw new Problem('forbidden')
    await change(actor, async (tx, record) => {
      const session = await tx.session.findFirst({ where: { sid, userId, endedAt: null } })
      if (!session) throw new Problem('unauthenticated')
      // How a browser's session was proven is for the protocol to say; it learns of no proof that was made elsewhere.
      const proven = session.kind === 'api' ? { amr: [...new Set([...session.amr, ...amr])] } : {}
      await tx.session.update({ where: { id: session.id }, data: { provenAt: now(), ...proven } })
      record('session.proven', { id: session.id, kind: session.kind, user_id: userId })
    })
  },
})

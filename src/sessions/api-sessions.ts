// Sessions of the management API: begun at a sign-in, known by a token of which only the hash is kept, ended for good.
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import { type Database, type Prisma, statement, type TransactionClient } from '../platform/data/database.ts'
import { noteAside } from '../platform/data/note-aside.ts'
import { Problem } from '../platform/errors.ts'
import { hashOf } from '../platform/secrets.ts'
import type { HasAccessSince } from '../users/user.ts'
import type { Devices } from './devices.ts'
import { apiSessionLifetimes, type Session, sessionTokenPrefix } from './session.ts'

/** Ends what the protocol keeps of a browser's session, in the change's own transaction. */
export type EndBrowserSession = (tx: TransactionClient, sid: string) => Promise<void>

/** The sessions that a person sees and ends, and those that a token stands for. */
export interface ApiSessions {
  /**
   * Begins one; the token is told only here, and a program or network that is new to the person is told to them. Throws `invalid_credentials` when the person's access was ended since they began
   * to prove themselves, or in that very millisecond: by another password, a suspension, a deletion.
   */
  begin(actor: Actor, session: { userId: string; amr: readonly string[]; since: Date }): Promise<{ session: Session; token: string }>
  /** Notes, at most once a minute, that a session was seen. */
  see(sid: string): Promise<void>
  /** A person's living sessions, the newest first. */
  list(userId: string, page: { limit: number; after?: readonly string[] }): Promise<{ rows: readonly Session[]; total: number }>
  /** Throws `not_found` for a session that is not theirs or ended. */
  end(actor: Actor, session: { userId: string; id: string }): Promise<void>
  /** Ends the session of this `sid`. */
  endOwn(actor: Actor, session: { userId: string; sid: string }): Promise<void>
  /** Ends all of a person's sessions but one. */
  endOthers(actor: Actor, session: { userId: string; exceptSid?: string }): Promise<void>
}

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly devices: Devices
  readonly randomBytes: (size: number) => Buffer
  readonly newId: () => string
  readonly now: () => Date
  readonly endBrowserSession: EndBrowserSession
  readonly hasAccessSince: HasAccessSince
  /** Waits for what the user is changing. */
  readonly lockAuthority: (tx: TransactionClient, userId: string) => Promise<void>
}

const see = statement('session-see', `UPDATE sessions SET last_seen_at = now() WHERE sid = $1 AND last_seen_at < now() - interval '1 minute'`)

/** Makes the service. */
export const createApiSessions = ({
  database,
  change,
  devices,
  randomBytes,
  newId,
  now,
  endBrowserSession,
  hasAccessSince,
  lockAuthority,
}: Needs): ApiSessions => {
  const living = (userId: string) =>
    ({
      userId,
      endedAt: null,
      expiresAt: { gt: now() },
      OR: [{ kind: 'browser' }, { lastSeenAt: { gt: new Date(now().getTime() - apiSessionLifetimes.idleSeconds * 1000) } }],
    }) satisfies Prisma.SessionWhereInput

  const endWhere = async (actor: Actor, where: Prisma.SessionWhereInput & { readonly userId: string }): Promise<number> => {
    const rows = await database.prisma.session.findMany({ where, select: { id: true } })
    if (rows.length === 0) return 0
    const ending = change(actor, async (tx, record) => {
      // What is changed in a session that ends commits before, or not at all.
      await lockAuthority(tx, where.userId)
      const ended = await tx.session.updateManyAndReturn({ where: { id: { in: rows.map(({ id }) => id) }, endedAt: null }, data: { endedAt: now() } })
      // Somebody else ended them all at this moment.
      if (ended.length === 0) throw new Problem('not_found')
      for (const session of ended) {
        if (session.kind === 'browser') await endBrowserSession(tx, session.sid)
        record('session.ended', toTarget(session))
      }
      return ended.length
    })
    return ending.catch(noneIfNotFound)
  }

  return {
    begin: async (actor, { userId, amr, since }) => {
      const token = `${sessionTokenPrefix}${randomBytes(32).toString('base64url')}`
      const id = newId()
      const row = await change(actor, async (tx, record) => {
        if (!(await hasAccessSince(tx, { userId, since }))) throw new Problem('invalid_credentials')
        const made = await tx.session.create({
          data: {
            id,
            sid: id,
            kind: 'api',
            userId,
            tokenHash: new Uint8Array(hashOf('session-token', token)),
            ip: actor.ip,
            userAgent: actor.userAgent,
            amr: [...amr],
            expiresAt: new Date(now().getTime() + apiSessionLifetimes.absoluteSeconds * 1000),
          },
        })
        await devices.note(tx, { userId, from: { ip: actor.ip, userAgent: actor.userAgent, language: actor.language } })
        record('session.started', toTarget(made))
        return made
      })
      return { session: toSession(row), token }
    },
    see: sid => noteAside(() => database.run(see, [sid])),
    list: async (userId, { limit, after }) => {
      const [at, id] = after ?? []
      const older: Prisma.SessionWhereInput = at && id ? { OR: [{ createdAt: { lt: new Date(at) } }, { createdAt: new Date(at), id: { lt: id } }] } : {}
      const rows = await database.prisma.session.findMany({
        where: { AND: [living(userId), older] },
        orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
        take: limit,
      })
      return { rows: rows.map(toSession), total: await database.prisma.session.count({ where: living(userId) }) }
    },
    end: async (actor, { userId, id }) => {
      if ((await endWhere(actor, { ...living(userId), id })) === 0) throw new Problem('not_found')
    },
    endOwn: async (actor, { userId, sid }) => {
      await endWhere(actor, { ...living(userId), sid })
    },
    endOthers: async (actor, { userId, exceptSid }) => {
      await endWhere(actor, { ...living(userId), ...(exceptSid ? { sid: { not: exceptSid } } : {}) })
    },
  }
}

const noneIfNotFound = (error: unknown): number => {
  if (error instanceof Problem && error.code === 'not_found') return 0
  throw error
}

const toTarget = ({ id, kind, userId }: { id: string; kind: string; userId: string }) => ({ id, kind, user_id: userId })

type Row = Omit<Session, 'ip' | 'userAgent'> & { readonly ip: string | null; readonly userAgent: string | null }

const toSession = (row: Row): Session => ({ ...row, ip: row.ip ?? undefined, userAgent: row.userAgent ?? undefined })

// The identities of people: what other providers know them as, linked and unlinked by themselves.
import type { PostNotice } from '../mails/notices.ts'
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import type { Database, Prisma, TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import type { EndSessionsOfIdentities } from '../sessions/endings.ts'
import type { MustAdminister } from '../users/admins.ts'
import type { EraseUnproven, User, UserId } from '../users/user.ts'
import type { ConnectionButton } from './connection.ts'
import type { Connections } from './connections.ts'
import { isOfAnother } from './entitlement.ts'
import { freeSubject } from './identity-erasures.ts'
import { notedOf, recordIdentity } from './identity-told.ts'
import type { Connectors } from './list.ts'
import { markOf } from './mark.ts'
import { toJson } from './provider-data.ts'
import type { UpstreamProof } from './upstream.ts'
import type { VerifyConnection } from './verify-connection.ts'

/** An identity as its owner may see it. */
export interface Identity {
  readonly id: string
  readonly connection: ConnectionButton
  readonly subject: string
  readonly providerData: unknown
  readonly createdAt: Date
  readonly lastUsedAt: Date
}

/** The identities. */
export interface Identities {
  /** The oldest first; also those whose connection is switched off, but none of one that is deleted. */
  list(userId: string): Promise<readonly Identity[]>
  /** All that are kept: also those whose connection is deleted and can be restored. */
  listKept(userId: string): Promise<readonly Identity[]>
  /**
   * In the actor's session. Throws `identity_taken` where it is somebody else's, `connection_gone`, and `unauthenticated` where the session
   * ended. One that is theirs already stays.
   */
  link(actor: Actor, link: UpstreamProof & { readonly userId: UserId }): Promise<void>
  /** Notes that nothing was linked to somebody, and why. */
  noteRefused(actor: Actor, refusal: { readonly userId: UserId; readonly connector: string; readonly reason: string }): Promise<void>
  /** Ends the sessions that it began, but for the one it is done in. Throws `not_found`, `last_way_in` where its owner would have no way to sign in left, and `forbidden` where an administrator's is removed by who is none. */
  unlink(actor: Actor, identity: { readonly user: User; readonly id: string }): Promise<void>
}

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly connections: Pick<Connections, 'find'>
  readonly connectors: Connectors
  readonly verifyConnection: VerifyConnection
  readonly notify: PostNotice
  readonly mustAdminister: MustAdminister
  /** A living user, whom nobody else changes until this change ends. */
  readonly lockUser: (tx: TransactionClient, id: UserId) => Promise<User>
  readonly endSessions: EndSessionsOfIdentities
  /** Whether people sign in by a code that is mailed to a verified address. */
  readonly isEmailCodeOffered: boolean
  /** Whether people sign in by a password. */
  readonly isPasswordOffered: boolean
  readonly hasPassword: (tx: TransactionClient, userId: string) => Promise<boolean>
}

/** Makes the service. */
export const createIdentities = (needs: Needs): Identities => {
  const { database, change, verifyConnection, notify, mustAdminister, lockUser, endSessions, connectors } = needs
  const listWhere = async (where: Prisma.IdentityWhereInput): Promise<readonly Identity[]> => {
    const rows = await database.prisma.identity.findMany({ where, include, orderBy: { id: 'asc' } })
    return rows.map(({ connection: { organization, settings, organizationId, ...connection }, ...row }) => {
      const mark = markOf(connectors, { ...connection, organizationId, settings })
      return { ...row, connection: { ...connection, mark, organization: organization?.name } }
    })
  }
  return {
    list: userId => listWhere(living(userId)),
    listKept: userId => listWhere({ userId }),
    link: async (actor, { connection, identity, userId }) => {
      const known = await findOwner(database, { connectionId: connection.id, subject: identity.subject })
      if (known === userId) return
      if (known !== undefined) throw new Problem('identity_taken')
      const add = async (): Promise<void> =>
        change(actor, async (tx, record) => {
          await verifyConnection(tx, connection)
          const { isAdmin, email } = await lockUser(tx, userId)
          // No organization signs in an administrator of the system, or people of another's domain.
          const isRefused = (isAdmin && connection.organizationId !== undefined) || (await isOfAnother(tx, { connection, email }))
          if (isRefused) throw new Problem('connection_gone')
          await mustBeIn(tx, actor, userId)
          await freeSubject(tx, record, { connectionId: connection.id, subject: identity.subject })
          const { id } = await tx.identity.create({
            data: { connectionId: connection.id, subject: identity.subject, userId, providerData: toJson(identity) },
          })
          recordIdentity(record, 'identity.linked', { row: { id, userId }, connection })
          await notify(tx, { kind: 'identity_linked', userId, actor, values: await notedOf(tx, connection) })
        })
      await add().catch(async error => {
        if (!(error instanceof Problem && error.code === 'conflict')) throw error
        // Somebody linked it at the same moment.
        if ((await findOwner(database, { connectionId: connection.id, subject: identity.subject })) !== userId)
          throw new Problem('identity_taken', { cause: error })
      })
    },
    noteRefused: (actor, { userId, ...refusal }) =>
      change(actor, async (_tx, record) => record('identity.refused', { id: userId, ...refusal }, { outcome: 'refused' })),
    unlink: async (actor, { user, id }) => {
      const others = await usableOthers(needs, { userId: user.id, id })
      await change(actor, async (tx, record) => {
        const locked = await lockUser(tx, user.id)
        const isOwn = actor.userId === user.id
        if (!isOwn) mustAdminister(actor, locked)
        const row = await tx.identity.findFirst({ where: { id, ...living(user.id) }, include })
        if (!row) throw new Problem('not_found')
        await tx.identity.delete({ where: { id } })
        if (isOwn && !(await hasWayIn(tx, { user: locked, others, offered: needs }))) throw new Problem('last_way_in')
        const { connection } = row
        await endSessions(tx, { userIds: [user.id], identityIds: [id], exceptSid: actor.sessionId })
        recordIdentity(record, 'identity.unlinked', { row, connection })
        await notify(tx, { kind: 'identity_unlinked', userId: user.id, actor, values: await notedOf(tx, connection) })
      })
    },
  }
}

/** Takes a user's identities away, in the transaction of a change: whoever linked them was not the owner. */
export const eraseIdentities: EraseUnproven = async (tx, userId) => {
  await tx.identity.deleteMany({ where: { userId } })
}

const include = {
  connection: { select: { id: true, connector: true, name: true, organizationId: true, settings: true, organization: { select: { name: true } } } },
} as const

const living = (userId: string) => ({ userId, connection: { deletedAt: null } })

const findOwner = async ({ prisma }: Database, key: { connectionId: string; subject: string }): Promise<string | undefined> =>
  (await prisma.identity.findFirst({ where: { ...key, user: { deletedAt: null } }, select: { userId: true } }))?.userId

// The provider takes its time: who proved the address meanwhile ended this session, and gets nothing of whoever was in it.
const mustBeIn = async (tx: TransactionClient, { sessionId: sid }: Actor, userId: UserId): Promise<void> => {
  const session = sid === undefined ? null : await tx.session.findFirst({ where: { sid, userId, endedAt: null }, select: { id: true } })
  if (!session) throw new Problem('unauthenticated')
}

/** The connections by which they could still come in. */
const usableOthers = async ({ database, connections }: Needs, { userId, id }: { userId: string; id: string }): Promise<readonly string[]> => {
  const rows = await database.prisma.identity.findMany({ where: { ...living(userId), id: { not: id } }, select: { connectionId: true } })
  const found = await Promise.all(rows.map(({ connectionId }) => connections.find(connectionId)))
  return found.flatMap(one => (one ? [one.id] : []))
}

const hasWayIn = async (
  tx: TransactionClient,
  { user, others, offered }: { user: User; others: readonly string[]; offered: Pick<Needs, 'isEmailCodeOffered' | 'isPasswordOffered' | 'hasPassword'> },
): Promise<boolean> => {
  if (offered.isEmailCodeOffered && user.isEmailVerified) return true
  const userId = user.id
  if (offered.isPasswordOffered && (await offered.hasPassword(tx, userId))) return true
  if ((await tx.authenticator.count({ where: { userId, kind: 'passkey', confirmedAt: { not: null }, deletedAt: null } })) > 0) return true
  return (await tx.identity.count({ where: { userId, connectionId: { in: [...others] } } })) > 0
}

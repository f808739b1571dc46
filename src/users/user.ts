// The words of this slice: who a user is, and what is told of one.
import { z } from 'zod'
import type { Actor } from '../platform/actor.ts'
import { event, type RecordEvent } from '../platform/data/change.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import { uuid } from '../platform/http/text.ts'
import type { FactorStrikes } from './factor-strikes.ts'

/** A UUID v7. In tokens it is the `sub`. */
export type UserId = string & z.$brand<'UserId'>

/** Parses a user's id; it is in small letters afterwards. */
export const userIdSchema = uuid.brand<'UserId'>()

/** A person who signs in. */
export interface User {
  readonly id: UserId
  readonly email: string
  readonly isEmailVerified: boolean
  readonly name?: string
  readonly picture?: string
  readonly locale?: string
  readonly isAdmin: boolean
  readonly isSuspended: boolean
  /** Absent: no factor was ever removed. */
  readonly factorStrikes?: FactorStrikes
  readonly createdAt: Date
  readonly updatedAt: Date
  /** Only of users that the administration lists on purpose. */
  readonly deletedAt?: Date
}

/**
 * Ends what a user is signed in with (sessions, grants and all that was issued under them), in the change's own transaction.
 * The session that is excepted lives on.
 */
export type EndAccess = (tx: TransactionClient, userId: string, options?: { readonly exceptSid?: string }) => Promise<void>

/**
 * Whether a person who proved themselves then has had access ever since: nobody gave them another password, suspended or deleted them, also not
 * in that very millisecond. In a change it is so until the change ends.
 */
export type HasAccessSince = (tx: Pick<TransactionClient, '$queryRaw'>, proof: { readonly userId: string; readonly since: Date }) => Promise<boolean>

/**
 * Holds a living user until the change ends, for whoever puts something into the account. Throws `not_found`, `unauthenticated` where the session
 * that the actor acts in has ended, and `interaction_expired` where what they proved in a sign-in was before the end of the user's access.
 */
export type HoldForActor = (tx: TransactionClient, actor: Actor, userId: string) => Promise<void>

/**
 * Counts the address as verified, in the change's own transaction; `isFirst` where nobody had proven it before. `undefined` where the
 * user has gone, is suspended, or has another address by now. The address is the canonical one.
 */
export type ProveEmail = (
  tx: TransactionClient,
  proof: { readonly userId: string; readonly email: string },
) => Promise<{ readonly isFirst: boolean } | undefined>

/** Puts a person's own profile in the place of the one that somebody else gave their account; there is no picture of them yet. */
export type ReplaceProfile = (
  tx: TransactionClient,
  record: RecordEvent,
  profile: { readonly userId: string; readonly name?: string; readonly locale?: string | undefined },
) => Promise<User>

/** Takes away what somebody may have put into an account before its owner came, in the change's own transaction. */
export type EraseUnproven = (tx: TransactionClient, userId: string) => Promise<void>

/** Throws in the change's own transaction where a user may not be taken away. */
export type GuardRemoval = (tx: TransactionClient, userId: string) => Promise<void>

/** What a new user is made of. */
export interface NewUser {
  readonly email: string
  readonly name?: string
  readonly picture?: string
  /** What they are spoken to in, as a BCP 47 tag. */
  readonly locale?: string | undefined
  readonly isEmailVerified?: boolean
  readonly isAdmin?: boolean
}

/** What of a user may be changed; `null` empties. */
export interface UserChanges {
  readonly email?: string
  readonly isEmailVerified?: boolean
  readonly name?: string | null
  readonly picture?: string | null
  readonly locale?: string | null
  readonly isAdmin?: boolean
}

/** Whether a user may sign in. */
export const userStatuses = ['active', 'suspended', 'deleted'] as const

/** A user as the API tells of one. */
export const userOutput = z.object({
  id: z.uuid(),
  email: z.string(),
  email_verified: z.boolean(),
  full_name: z.string().nullable(),
  picture: z.string().nullable(),
  locale: z.string().nullable(),
  system_role: z.enum(['admin']).nullable(),
  status: z.enum(userStatuses),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  deleted_at: z.iso.datetime().nullable(),
})

/** Turns a user into what {@link userOutput} lets through. */
export const toUserOutput = (user: User): z.input<typeof userOutput> => ({
  id: user.id,
  email: user.email,
  email_verified: user.isEmailVerified,
  full_name: user.name ?? null,
  picture: user.picture ?? null,
  locale: user.locale ?? null,
  system_role: user.isAdmin ? 'admin' : null,
  status: statusOf(user),
  created_at: user.createdAt.toISOString(),
  updated_at: user.updatedAt.toISOString(),
  deleted_at: user.deletedAt?.toISOString() ?? null,
})

const shape = { email: z.string(), name: z.string().nullish() }

/** The events of this slice. */
export const userEvents = {
  'user.created': event('user', shape),
  'user.updated': event('user', { ...shape, changed: z.array(z.string()) }),
  'user.email_change_requested': event('user', {}),
  'user.email_change_confirmed': event('user', { end: z.enum(['new', 'old']) }),
  'user.email_changed': event('user', { email: z.string() }),
  'user.email_change_undone': event('user', { email: z.string() }),
  'user.suspended': event('user', shape),
  'user.activated': event('user', shape),
  'user.deleted': event('user', { ...shape, reason: z.enum(['address_proven_by_another', 'deleted_before_restore']).optional() }),
  'user.restored': event('user', shape),
  'user.sessions_ended': event('user', shape),
  'user.purged': event('user', {}),
}

const statusOf = ({ deletedAt, isSuspended }: User) => {
  if (deletedAt) return 'deleted'
  return isSuspended ? 'suspended' : 'active'
}

/** The person who calls. Throws `forbidden` where it is no person. */
export const userIdOf = ({ userId }: Pick<Actor, 'userId'>): UserId => {
  if (userId === undefined) throw new Problem('forbidden')
  return userIdSchema.parse(userId)
}

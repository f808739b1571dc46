// The words of this slice: who a user is, and what is told of one.
import { z } from 'zod'
import { event } from '../platform/data/change.ts'

/** A UUID v7. In tokens it is the `sub`. */
export type UserId = string & z.$brand<'UserId'>

/** Parses a user's id. */
export const userIdSchema = z.uuid().brand<'UserId'>()

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
  readonly updatedAt: Date
}

/** What a new user is made of. */
export interface NewUser {
  readonly email: string
  readonly name?: string
  readonly isEmailVerified?: boolean
  readonly isAdmin?: boolean
}

const shape = { email: z.string(), name: z.string().nullish() }

/** The events of this slice. */
export const userEvents = { 'user.created': event('user', shape) }

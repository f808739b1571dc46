// What an interaction keeps of a sign-in on its way, and what that comes to when it is whole.
import type { InteractionResults } from 'oidc-provider'
import { z } from 'zod'
import { proverOf } from './session-fields.ts'

/** Of one that is not whole yet, under `pending` of the interaction's result. */
export const pendingSchema = z.object({
  accountId: z.string(),
  amr: z.array(z.string()),
  isRemembered: z.boolean(),
  /** Seconds since 1970, with their fraction where it is known. It becomes `auth_time`: a second factor that is added later makes no sign-in younger. */
  provenAt: z.number(),
  /** The same of the second factor. */
  factorAt: z.number().optional(),
  /** The same of the provider that vouches for them, where it told: then this one becomes `auth_time`. */
  authenticatedAt: z.number().optional(),
  /** When the person was last asked, where that is not when they came. */
  askedAt: z.number().optional(),
  isSignIn: z.boolean(),
  enrolmentId: z.string().optional(),
  areCodesDue: z.boolean().optional(),
  challengeId: z.string().optional(),
  identityId: z.string().optional(),
  confinedTo: z.string().optional(),
})

/** Of one that is whole. */
export const finishedSchema = z.object({ login: z.object({ challengeId: z.string().optional() }) })

/** What was proven so far. */
export type Pending = z.output<typeof pendingSchema>

/** When the person proved who they are. */
export const provenAtOf = ({ provenAt }: Pending) => new Date(Math.round(provenAt * 1000))

/** What the engine goes on with. */
export const toResult = ({
  accountId,
  amr,
  isRemembered,
  provenAt,
  factorAt,
  authenticatedAt = provenAt,
  askedAt,
  challengeId,
  ...pending
}: Pending): InteractionResults => ({
  login: { accountId, amr, remember: isRemembered, ts: Math.floor(authenticatedAt), provenAt, factorAt, askedAt, challengeId, ...proverOf(pending) },
  select_account: {},
  mfa: {},
})

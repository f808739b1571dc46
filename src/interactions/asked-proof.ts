// What an interaction remembers of the proof it asked for: in the browser that asked, so that another one can do nothing with the mail.
import { z } from 'zod'
import { createSealedCookie, type SealedCookie } from '../platform/http/sealed-cookie.ts'
import type { Secrets } from '../platform/secrets.ts'

const schema = z.object({
  purpose: z.enum(['sign_in', 'sign_up']),
  /** The challenge by which the code is redeemed. */
  id: z.string(),
  /** As it was typed. */
  email: z.string(),
  /** Who is to be a user once the address is proven. */
  pending: z.object({ name: z.string(), secret: z.string() }).optional(),
  isResent: z.boolean().optional(),
  /** The secret of the link that was opened, until its button is pressed. */
  token: z.string().optional(),
})

/** A proof that was asked for. */
export type AskedProof = z.output<typeof schema>

/** Where it is remembered. */
export type ProofCookie = SealedCookie<AskedProof>

/** Makes the cookie, which lives in the paths of its interaction. */
export const createProofCookie = (given: { secrets: Secrets; isSecure: boolean }): ProofCookie => createSealedCookie({ ...given, name: 'proof', schema })

const redeemedSchema = z.object({ id: z.string() })
const redeemedSeconds = 86_400

/** Remembers, where a proof was asked for, that it was redeemed there. */
export type RedeemedCookie = SealedCookie<z.output<typeof redeemedSchema>>

/** Makes the cookie of what was redeemed; it outlives the interaction, for the mail lies there longer than a sign-in lasts. */
export const createRedeemedCookie = (given: { secrets: Secrets; isSecure: boolean }): RedeemedCookie =>
  createSealedCookie({ ...given, name: 'redeemed', schema: redeemedSchema, ttlSeconds: redeemedSeconds })

// The job by which proofs of an address are delivered: only there is it looked up whom the address belongs to.
import { z } from 'zod'
import type { JobKind } from '../platform/jobs/job.ts'

const payload = z.object({
  purpose: z.enum(['email_verification', 'password_reset', 'sign_in', 'sign_up']),
  /** In its canonical form. */
  email: z.string(),
  /** What was issued already, for the browser that asked. */
  issued: z.object({ token: z.string(), code: z.string(), linkPath: z.string() }).optional(),
  /** Too many went to this address: it is noted, and no mail goes. */
  isMute: z.boolean(),
  /** The language of whoever asked: of the mail to a person who chose none. */
  locale: z.string().optional(),
  caller: z.object({ requestId: z.string().optional(), ip: z.string().optional(), userAgent: z.string().optional() }),
})

/** What is to be proven, and to whom the mail goes. */
export type ProofDelivery = z.output<typeof payload>

/** The purposes that are delivered so. */
export type MailedPurpose = ProofDelivery['purpose']

/** The job. */
export const deliverProof: JobKind<ProofDelivery> = { name: 'proof.deliver', schema: payload, maxAttempts: 10 }

/** For how long each is good, in minutes. */
export const proofMinutes: Readonly<Record<MailedPurpose, number>> = { email_verification: 60, password_reset: 30, sign_in: 10, sign_up: 30 }

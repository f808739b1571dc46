// The words of this slice: which mails there are and what each is made of. Their sentences stand in the catalogues under `mail.<kind>`: `subject`, `intro`, `note`, and `button` where it leads somewhere.
import { z } from 'zod'
import type { JobKind } from '../platform/jobs/job.ts'

/** The kinds of mail. */
export const mailKinds = [
  'email_verification',
  'password_reset',
  'sign_in',
  'email_change',
  'email_change_approval',
  'email_changed',
  'email_replaced',
  'password_changed',
  'new_device',
  'factor_added',
  'factor_removed',
  'recovery_codes_made',
  'recovery_code_used',
  'identity_linked',
  'identity_unlinked',
  'agent_made',
  'member_agent_made',
  'member_added',
  'invitation',
  'account_exists',
  'account_deleted',
  'approval_asked',
  'webhook_disabled',
] as const

/** A mail as it is asked for; its words are chosen when it is sent. */
export const mailRequest = z.object({
  kind: z.enum(mailKinds),
  to: z.string(),
  /** The reader's language as a BCP 47 tag. */
  locale: z.string().optional(),
  /** What the sentences name; what is known of the device, the time and the factor is said in the reader's language (words.ts). */
  values: z.record(z.string(), z.union([z.string(), z.number()])).default({}),
  /** Where the button leads. */
  url: z.string().optional(),
  /** To be typed where it was asked for. */
  code: z.string().optional(),
})

/** A mail as it is asked for. */
export type MailRequest = z.input<typeof mailRequest>

/** The job that sends one: tried for about eight hours. */
export const sendMail: JobKind<z.output<typeof mailRequest>> = {
  name: 'mail.send',
  schema: mailRequest,
  maxAttempts: 15,
}

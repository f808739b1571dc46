// Tickets of half a sign-in to the API: the password was proven, the second factor is missing. Short, few tries, good once.
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import { type Database, statement } from '../platform/data/database.ts'
import { createPurge } from '../platform/data/purge.ts'
import { Problem } from '../platform/errors.ts'
import { hashOf } from '../platform/secrets.ts'

/** What was proven when a ticket was given. */
export interface FirstProof {
  readonly userId: string
  readonly amr: readonly string[]
  readonly provenAt: Date
}

/** The tickets. */
export interface SignInTickets {
  /** The ticket is told only here. */
  issue(actor: Actor, proof: FirstProof): Promise<string>
  /** Uses up one try. Throws `ticket_expired` for one that is unknown, used, old or out of tries. */
  attempt(token: string): Promise<FirstProof & { readonly id: string }>
  /** Uses the ticket up: of any number of callers one is let through. Throws `ticket_expired`. */
  redeem(id: string): Promise<void>
}

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly randomBytes: (size: number) => Buffer
  readonly now: () => Date
}

const ticketSeconds = 300

const attempt = statement(
  'sign-in-ticket-attempt',
  `UPDATE sign_in_tickets SET attempts_left = attempts_left - 1
   WHERE token_hash = $1 AND used_at IS NULL AND attempts_left > 0 AND expires_at > now()
   RETURNING id, user_id AS "userId", amr, proven_at AS "provenAt"`,
)
const redeem = statement(
  'sign-in-ticket-redeem',
  'UPDATE sign_in_tickets SET used_at = now() WHERE id = $1 AND used_at IS NULL AND expires_at > now() RETURNING id',
)

/** Makes the service. */
export const createSignInTickets = ({ database, change, randomBytes, now }: Needs): SignInTickets => ({
  issue: async (actor, { userId, amr, provenAt }) => {
    const token = randomBytes(32).toString('base64url')
    await change(actor, async (tx, record) => {
      const expiresAt = new Date(now().getTime() + ticketSeconds * 1000)
      await tx.signInTicket.create({ data: { userId, amr: [...amr], provenAt, expiresAt, tokenHash: new Uint8Array(hashOf('sign-in-ticket', token)) } })
      record('sign_in.factor_asked', { id: userId })
    })
    return token
  },
  attempt: async token => {
    const [found] = await database.run<FirstProof & { id: string }>(attempt, [hashOf('sign-in-ticket', token)])
    if (!found) throw new Problem('ticket_expired')
    return found
  },
  redeem: async id => {
    const rows = await database.run(redeem, [id])
    if (rows.length === 0) throw new Problem('ticket_expired')
  },
})

/** Forgets what expired a day ago. */
export const purgeSignInTickets = createPurge({ table: 'sign_in_tickets', due: "expires_at < now() - interval '1 day'" })

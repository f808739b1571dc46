// Delivers proofs: finds out whom an address belongs to, and which mail that person is to get, if any.
import type { Challenges } from '../challenges/challenges.ts'
import type { MailRequest } from '../mails/mail.ts'
import type { Mails } from '../mails/mails.ts'
import type { Change } from '../platform/data/change.ts'
import { type JobHandler, jobHandler } from '../platform/jobs/job.ts'
import type { User } from '../users/user.ts'
import type { Users } from '../users/users.ts'
import { deliverProof, type MailedPurpose, type ProofDelivery, proofMinutes } from './proof-job.ts'

interface Needs {
  readonly users: Users
  readonly challenges: Challenges
  readonly mails: Mails
  readonly change: Change
  /** Links lead here and nowhere else, whatever host a request named. */
  readonly issuer: string
}

/** Where a link leads that any browser may open. */
const openPaths: Readonly<Partial<Record<MailedPurpose, string>>> = { password_reset: '/recovery', email_verification: '/verify-email' }

/** Makes the work of the job. */
export const createProofHandler = ({ users, challenges, mails, change, issuer }: Needs): JobHandler =>
  jobHandler(deliverProof, async delivery => {
    const { purpose, email, caller, isMute } = delivery
    const user = await users.findByEmail(email)
    const kind = isMute ? undefined : letterFor(purpose, user)
    await change({ kind: 'anonymous', permissions: new Set(), ...caller }, async (tx, record) => {
      record('proof.requested', { id: user?.id, purpose }, { outcome: kind === undefined ? 'refused' : 'kept' })
      if (kind === undefined) return
      const issued = delivery.issued ?? (await challenges.issue(tx, newChallenge(delivery, user)))
      await mails.post(tx, {
        kind,
        to: user?.email ?? email,
        locale: user?.locale ?? delivery.locale,
        values: { minutes: String(proofMinutes[purpose]) },
        ...(kind === 'account_exists' ? {} : { url: linkOf(delivery, { token: issued.token, issuer }), code: issued.code }),
      })
    })
  })

const letterFor = (purpose: MailedPurpose, user: User | undefined): MailRequest['kind'] | undefined => {
  if (user?.isSuspended) return undefined
  // An account whose address nobody proved is nobody's yet: its owner may sign up as if it were not there.
  if (purpose === 'sign_up') return user?.isEmailVerified ? 'account_exists' : 'email_verification'
  if (!user || (purpose === 'email_verification' && user.isEmailVerified)) return undefined
  return purpose
}

const newChallenge = ({ purpose, email }: ProofDelivery, user: User | undefined) => ({
  purpose,
  email,
  userId: user?.id,
  ttlSeconds: proofMinutes[purpose] * 60,
  // The code of a verification is for the person's own sessions; its link is for whoever reads the mail.
  ...(purpose === 'email_verification' && user ? { binding: ownBinding(user.id) } : {}),
})

/** What ties a code to the sessions of its user. */
export const ownBinding = (userId: string): string => `user:${userId}`

const linkOf = ({ purpose, issued }: ProofDelivery, { token, issuer }: { token: string; issuer: string }) =>
  new URL(`${issued?.linkPath ?? openPaths[purpose]}/${token}`, issuer).href

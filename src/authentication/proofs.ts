// Asks people to prove an address, and takes the proof. Nothing here looks up whether the address is anybody's: a stranger who asks sees
// the same answer after the same work, and the mail is the only thing that tells.
import type { Challenge } from '../challenges/challenge.ts'
import type { Challenges } from '../challenges/challenges.ts'
import type { Actor } from '../platform/actor.ts'
import type { Database, TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import { addressKey, type MakeLimit } from '../platform/http/limit.ts'
import type { Queue } from '../platform/jobs/queue.ts'
import type { Log } from '../platform/log.ts'
import { normalizeEmail } from '../users/email.ts'
import type { KnownDevice } from './authentication.ts'
import type { TakeMail } from './mail-budget.ts'
import { deliverProof, type ProofDelivery, proofMinutes } from './proof-job.ts'

/** What is asked for in a browser, to be answered there: `binding` is what only that browser has. */
export interface ProofHere {
  readonly purpose: 'sign_in' | 'sign_up'
  readonly email: string
  readonly binding: string
  /** Where the link of the mail leads, without the token. */
  readonly linkPath: string
  /** Where the browser is one in which people signed in before. */
  readonly device?: KnownDevice
}

/** An answer given in the browser that asked: the code, or the token of the link. */
export interface AnswerHere {
  readonly purpose: 'sign_in' | 'sign_up'
  readonly id: string
  readonly binding: string
  readonly given: { readonly code: string } | { readonly token: string }
}

/** Proofs of an address, by mail. */
export interface Proofs {
  /** Whether mail can be sent at all; without it nobody can prove anything. */
  readonly isPossible: boolean
  /** Where somebody asks too often, or an address had too many, no mail goes, and nobody is told. */
  ask(actor: Actor, proof: { purpose: 'email_verification' | 'password_reset'; email: string }): Promise<void>
  /** As {@link ask}, in the transaction of the change that is the reason; it counts for nobody's budget. */
  askWithin(tx: TransactionClient, actor: Actor, proof: { purpose: 'email_verification'; email: string }): Promise<void>
  /**
   * Answers the id by which a code is redeemed. Throws `too_many_attempts` for one who asks too often, and `too_many_mails` where they or the
   * address had too many, known or not: then the last code stays good.
   */
  askHere(actor: Actor, proof: ProofHere): Promise<string>
  /** Throws `code_wrong` while there are tries left, else `proof_expired`. */
  redeemHere(answer: AnswerHere): Promise<Challenge>
  /** Whether it was redeemed, or another took its place. */
  isUsed(id: string): Promise<boolean>
}

interface Needs {
  readonly database: Database
  readonly challenges: Challenges
  readonly queue: Queue
  readonly limit: MakeLimit
  readonly takeMail: TakeMail
  readonly log: Log
  readonly isPossible: boolean
}

/** Makes the service. Budgets: those of the mails, and sixty askings an IP address and quarter of an hour. */
export const createProofs = ({ database, challenges, queue, limit, takeMail, log, isPossible }: Needs): Proofs => {
  const byIp = limit('proof:ip', { points: 60, durationSeconds: 900 })

  const deliver = async (tx: TransactionClient, { actor, ...payload }: Omit<ProofDelivery, 'caller' | 'locale'> & { actor: Actor }) => {
    if (!isPossible) return log.warn({ purpose: payload.purpose }, 'a mail was asked for and there is no way to send it: set SMTP_URL')
    const { requestId, ip, userAgent, language } = actor
    await queue.add(tx, { kind: deliverProof, payload: { ...payload, locale: language, caller: { requestId, ip, userAgent } } })
  }

  return {
    isPossible,
    ask: async (actor, { purpose, email }) => {
      const address = normalizeEmail(email)
      // Who floods fills neither the queue nor the log; that tells nothing of any address.
      if (await isOver(byIp.consume(addressKey(actor.ip ?? 'unknown')))) return
      const isMute = await isOver(takeMail({ purpose, email: address ?? email, ip: actor.ip }))
      await database.transact(tx => deliver(tx, { actor, purpose, email: address ?? '', isMute }))
    },
    askWithin: (tx, actor, { purpose, email }) => deliver(tx, { actor, purpose, email: normalizeEmail(email) ?? '', isMute: false }),
    askHere: async (actor, { purpose, email, binding, linkPath, device }) => {
      const address = normalizeEmail(email)
      await byIp.consume(addressKey(actor.ip ?? 'unknown'))
      await takeMail({ purpose, email: address ?? email, ip: actor.ip, device })
      // What is no address goes the same way: there is nobody behind it.
      const isMute = address === undefined
      return database.transact(async tx => {
        const challenge = { purpose, email: address ?? '', binding, ttlSeconds: proofMinutes[purpose] * 60, details: { is_mute: isMute } }
        const { id, token, code = '' } = await challenges.issue(tx, challenge)
        await deliver(tx, { actor, purpose, email: address ?? '', isMute, issued: { token, code, linkPath } })
        return id
      })
    },
    isUsed: challenges.isUsed,
    redeemHere: async ({ purpose, id, binding, given }) => {
      if ('token' in given) return redeemLink({ database, challenges }, { purpose, id, binding, token: given.token })
      const answer = await challenges.redeemCode({ purpose, id, binding, code: given.code })
      if (answer.outcome === 'dead') throw new Problem('proof_expired')
      // A code that no mail carried can only have been guessed.
      if (answer.outcome !== 'redeemed' || answer.challenge.details.is_mute) throw new Problem('code_wrong')
      return answer.challenge
    },
  }
}

const isOver = async (taken: Promise<unknown>): Promise<boolean> => {
  try {
    await taken
    return false
  } catch (error) {
    if (error instanceof Problem && (error.code === 'too_many_attempts' || error.code === 'too_many_mails')) return true
    throw error
  }
}

const redeemLink = async (
  { database, challenges }: Pick<Needs, 'database' | 'challenges'>,
  { purpose, id, binding, token }: { purpose: 'sign_in' | 'sign_up'; id: string; binding: string; token: string },
): Promise<Challenge> => {
  // The link of an earlier asking in this browser may be for another address than the last one.
  const known = await challenges.find(purpose, token)
  const challenge = known?.id === id ? await database.transact(tx => challenges.redeemLink(tx, { purpose, token, binding })) : undefined
  if (!challenge) throw new Problem('proof_expired')
  return challenge
}

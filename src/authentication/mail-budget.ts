// How many proofs are mailed: so many to whoever asks from one network, and a few more to one address whoever asks. A browser in which the
// person signed in before has as many of its own, which no stranger takes away.
import { Problem } from '../platform/errors.ts'
import { type Limit, type MakeLimit, networkOf } from '../platform/http/limit.ts'
import { hashOf } from '../platform/secrets.ts'
import { normalizeEmail } from '../users/email.ts'
import type { Users } from '../users/users.ts'
import type { KnownDevice } from './authentication.ts'
import { type MailedPurpose, proofMinutes } from './proof-job.ts'

/** A mail that is asked for. */
export interface AskedMail {
  readonly purpose: MailedPurpose
  /** In its canonical form where it is an address. */
  readonly email: string
  readonly ip?: string
  readonly device?: KnownDevice
}

/** Takes a mail of the budgets. Throws `too_many_mails`. */
export type TakeMail = (asked: AskedMail) => Promise<void>

const ofAsker = 5
// Five tries a code and eight codes an hour: a code is guessed in a day with a chance below one in a thousand.
const ofAddress = 8
const ofOwnBrowsers = 20

/**
 * Makes it. Nobody learns by it whether the address is anybody's: only the people of the browser itself are looked up. The window of a reset
 * is as long as its link lives, which any browser may use: whoever is given none has one in their mailbox that works.
 */
export const createMailBudget = ({ limit, users }: { limit: MakeLimit; users: Pick<Users, 'find'> }): TakeMail => {
  const budgetOf = (purpose: MailedPurpose, durationSeconds = 3600) => ({
    byAsker: limit(`proof:${purpose}:asker`, { points: ofAsker, durationSeconds }),
    byStrangers: limit(`proof:${purpose}:strangers`, { points: ofAddress, durationSeconds }),
    // Whoever knows the password has as many browsers as they like.
    byOwn: limit(`proof:${purpose}:own`, { points: ofOwnBrowsers, durationSeconds }),
  })
  const budgets: Readonly<Record<MailedPurpose, ReturnType<typeof budgetOf>>> = {
    email_verification: budgetOf('email_verification'),
    password_reset: budgetOf('password_reset', proofMinutes.password_reset * 60),
    sign_in: budgetOf('sign_in'),
    sign_up: budgetOf('sign_up'),
  }
  const isOwn = async ({ device, email }: AskedMail) => {
    const people = await Promise.all((device?.userIds ?? []).map(id => users.find(id)))
    return people.some(user => user !== undefined && normalizeEmail(user.email) === email)
  }

  return async asked => {
    const { purpose, email, ip = 'unknown', device } = asked
    const { byAsker, byStrangers, byOwn } = budgets[purpose]
    const ownDevice = (await isOwn(asked)) ? device : undefined
    const asker = keyOf(email, ownDevice?.id ?? networkOf(ip))
    await consume(byAsker, asker)
    try {
      await consume(ownDevice ? byOwn : byStrangers, keyOf(email))
    } catch (error) {
      // What was not mailed counts for nobody.
      await byAsker.reward(asker)
      throw error
    }
  }
}

const keyOf = (email: string, asker = '') => hashOf('proof', `${email}\0${asker}`).toString('base64url')

const consume = async (limit: Limit, key: string): Promise<void> => {
  try {
    await limit.consume(key)
  } catch (error) {
    if (!(error instanceof Problem && error.code === 'too_many_attempts')) throw error
    throw new Problem('too_many_mails', { cause: error, retryAfterSeconds: error.retryAfterSeconds })
  }
}

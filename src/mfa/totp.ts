// One-time passwords by time (RFC 6238): enrolled by a seed, confirmed by a first code, each code accepted once.
import { Secret, TOTP } from 'otpauth'
import type { PostNotice } from '../mails/notices.ts'
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import type { Database, TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import type { MakeLimit } from '../platform/http/limit.ts'
import { type QrCode, qrCodeOf } from '../platform/qr.ts'
import type { Secrets } from '../platform/secrets.ts'
import type { HoldForActor, User } from '../users/user.ts'
import type { AlsoChanged, Authenticator } from './authenticator.ts'
import { toAuthenticator, toNoted, toTarget, unnamedApp } from './authenticator-row.ts'

/** An enrolment that waits for its first code; the seed is told here alone. */
export interface TotpEnrolment {
  readonly id: string
  readonly name: string
  /** The seed in Base32, in groups of four. */
  readonly secret: string
  /** For an authenticator app: the `otpauth:` address. */
  readonly uri: string
  readonly qr: QrCode
}

/** The authenticator apps of people. */
export interface Totps {
  /** Begins an enrolment, in place of one that was not confirmed. Throws `too_many_factors`, and what {@link HoldForActor} throws. */
  enrol(actor: Actor, enrolment: { user: User; name?: string }): Promise<TotpEnrolment>
  /** An enrolment of this user that still waits for its first code. */
  findEnrolment(user: User, id: string): Promise<TotpEnrolment | undefined>
  /** Throws `validation_failed` for a wrong code, `not_found` for an enrolment that is none, `too_many_attempts`, and what {@link HoldForActor} throws. */
  confirm(actor: Actor, confirmation: { user: User; id: string; code: string; also?: AlsoChanged }): Promise<Authenticator>
  /** Uses a code up, in the transaction of a change; answers whether it was good. */
  accept(tx: TransactionClient, proof: { userId: string; code: string }): Promise<boolean>
}

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly secrets: Secrets
  readonly limit: MakeLimit
  readonly notify: PostNotice
  readonly issuerName: string
  readonly holdForActor: HoldForActor
  readonly randomBytes: (size: number) => Buffer
  readonly now: () => Date
}

// RFC 4226 §4: at least 128 bits, 160 recommended.
const seedBytes = 20
const maxTotps = 5
const enrolmentSeconds = 3600
const period = 30
// RFC 6238 §5.2: one step of drift each way.
const driftSteps = 1

/** Makes the service. Thirty first codes a user and five minutes; of one form sent twenty times none is told to wait. */
export const createTotps = (needs: Needs): Totps => {
  const { database, change, secrets, now, notify, holdForActor } = needs
  const byUser = needs.limit('totp:confirm', { points: 30, durationSeconds: 300 })
  const stepOf = (sealed: string, { userId, code }: { userId: string; code: string }): number | undefined => {
    const token = digitsOf(code)
    // The library fails over six that are no digits.
    if (!/^\d{6}$/.test(token)) return undefined
    const secret = Secret.fromBase32(secrets.unseal('totp', sealed, userId))
    const timestamp = now().getTime()
    const delta = TOTP.validate({ token, secret, timestamp, period, window: driftSteps })
    return delta === null ? undefined : TOTP.counter({ timestamp, period }) + delta
  }
  const pending = (user: User, id: string) => ({
    id,
    userId: user.id,
    kind: 'totp',
    confirmedAt: null,
    deletedAt: null,
    createdAt: { gt: new Date(now().getTime() - enrolmentSeconds * 1000) },
  })
  const toEnrolment = (row: { id: string; name: string; secret: string }, user: User): TotpEnrolment => {
    const secret = secrets.unseal('totp', row.secret, user.id)
    const uri = new TOTP({ issuer: needs.issuerName, label: user.email, secret: Secret.fromBase32(secret) }).toString()
    return { id: row.id, name: row.name, secret: (secret.match(/.{1,4}/g) ?? []).join(' '), uri, qr: qrCodeOf(uri) }
  }

  return {
    enrol: async (actor, { user, name = unnamedApp }) => {
      const seed = new Secret({ buffer: Uint8Array.from(needs.randomBytes(seedBytes)).buffer }).base32
      const row = await change(actor, async (tx, record) => {
        await holdForActor(tx, actor, user.id)
        await tx.authenticator.deleteMany({ where: { userId: user.id, kind: 'totp', confirmedAt: null } })
        const own = { userId: user.id, kind: 'totp' }
        if ((await tx.authenticator.count({ where: { ...own, deletedAt: null } })) >= maxTotps) throw new Problem('too_many_factors')
        const made = await tx.authenticator.create({ data: { ...own, name, secret: secrets.seal('totp', seed, user.id) } })
        record('authenticator.enrolment_begun', toTarget(made))
        return made
      })
      return toEnrolment(row, user)
    },
    findEnrolment: async (user, id) => {
      const row = await database.prisma.authenticator.findFirst({ where: pending(user, id) })
      return row ? toEnrolment(row, user) : undefined
    },
    confirm: async (actor, { user, id, code, also }) => {
      const row = await database.prisma.authenticator.findFirst({ where: pending(user, id) })
      if (!row) throw new Problem('not_found')
      await byUser.consume(user.id)
      const step = stepOf(row.secret, { userId: user.id, code })
      if (step === undefined) throw wrongFirstCode()
      const confirmed = await change(actor, async (tx, record) => {
        await holdForActor(tx, actor, user.id)
        const at = now()
        const data = { confirmedAt: at, lastUsedAt: at, counter: BigInt(step) }
        const [made] = await tx.authenticator.updateManyAndReturn({ where: pending(user, id), data })
        if (!made) throw new Problem('not_found')
        record('authenticator.enrolled', toTarget(made))
        await notify(tx, { kind: 'factor_added', userId: user.id, actor, values: toNoted(made) })
        await also?.(tx, record)
        return toAuthenticator(made)
      })
      await byUser.reward(user.id)
      return confirmed
    },
    accept: async (tx, { userId, code }) => {
      const rows = await tx.authenticator.findMany({ where: { userId, kind: 'totp', confirmedAt: { not: null }, deletedAt: null } })
      for (const { id, secret } of rows) {
        const step = stepOf(secret, { userId, code })
        if (step !== undefined && (await useStep(tx, { id, step }))) return true
      }
      return false
    },
  }
}

// RFC 6238 §5.2: a code is accepted once. The statement decides, so that of any number of tries at once one wins.
const useStep = async (tx: TransactionClient, { id, step }: { id: string; step: number }): Promise<boolean> => {
  const used = await tx.$executeRaw`
    UPDATE authenticators SET counter = ${BigInt(step)}, last_used_at = now(), updated_at = now()
    WHERE id = ${id}::uuid AND counter < ${BigInt(step)} AND confirmed_at IS NOT NULL AND deleted_at IS NULL`
  return used === 1
}

const digitsOf = (code: string) => code.replace(/[\s-]/g, '')

const wrongFirstCode = () =>
  new Problem('validation_failed', {
    fields: [{ path: 'code', code: 'wrong_code', message: 'This code is not the one your app shows now. Wait for the next and try again.' }],
  })

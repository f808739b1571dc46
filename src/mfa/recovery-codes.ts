// Codes for the day an authenticator is lost: ten, told once, each good once, kept only as keyed hashes.
import type { PostNotice } from '../mails/notices.ts'
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import type { Database, TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import type { Secrets } from '../platform/secrets.ts'
import type { HoldForActor } from '../users/user.ts'

/** The recovery codes of people. */
export interface RecoveryCodes {
  /** Makes ten and voids those before, of which the user is told. Throws `factor_missing` for whoever has nothing they could stand in for, and what {@link HoldForActor} throws. */
  issue(actor: Actor, userId: string): Promise<readonly string[]>
  /** How many are left, and when they were made. */
  count(userId: string): Promise<{ left: number; issuedAt?: Date }>
  /** Uses a code up, in the transaction of a change, and tells the user; answers whether it was good. */
  accept(tx: TransactionClient, proof: { userId: string; code: string; actor: Actor }): Promise<boolean>
}

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly secrets: Secrets
  readonly notify: PostNotice
  readonly holdForActor: HoldForActor
  readonly randomBytes: (size: number) => Buffer
}

const codes = 10
const codeBytes = 10
// Crockford's Base32: no letter that looks like a digit.
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** Makes the service. */
export const createRecoveryCodes = ({ database, change, secrets, notify, holdForActor, randomBytes }: Needs): RecoveryCodes => {
  const hashOfCode = (userId: string, code: string) => new Uint8Array(secrets.digest('recovery-code', `${userId}\0${canonical(code)}`))
  return {
    issue: async (actor, userId) => {
      const made = Array.from({ length: codes }, () => codeOf(randomBytes(codeBytes)))
      await change(actor, async (tx, record) => {
        await holdForActor(tx, actor, userId)
        const factors = await tx.authenticator.count({ where: { userId, confirmedAt: { not: null }, deletedAt: null } })
        if (factors === 0) throw new Problem('factor_missing')
        const { count: voided } = await tx.recoveryCode.deleteMany({ where: { userId } })
        await tx.recoveryCode.createMany({ data: made.map(code => ({ userId, hash: hashOfCode(userId, code) })) })
        record('recovery_codes.issued', { id: userId })
        if (voided > 0) await notify(tx, { kind: 'recovery_codes_made', userId, actor })
      })
      return made
    },
    count: async userId => {
      const rows = await database.prisma.recoveryCode.findMany({ where: { userId }, select: { usedAt: true, createdAt: true } })
      return { left: rows.filter(({ usedAt }) => usedAt === null).length, issuedAt: rows[0]?.createdAt }
    },
    accept: async (tx, { userId, code, actor }) => {
      // The statement decides: of any number of tries at once one wins.
      const used = await tx.$executeRaw`
        UPDATE recovery_codes SET used_at = now() WHERE user_id = ${userId}::uuid AND hash = ${hashOfCode(userId, code)} AND used_at IS NULL`
      if (used !== 1) return false
      const left = await tx.recoveryCode.count({ where: { userId, usedAt: null } })
      await notify(tx, { kind: 'recovery_code_used', userId, actor, values: { left } })
      return true
    },
  }
}

// 80 bits are sixteen letters of five.
const codeOf = (bytes: Buffer): string => {
  const bits = [...bytes].map(byte => byte.toString(2).padStart(8, '0')).join('')
  const letters = (bits.match(/.{5}/g) ?? []).map(five => alphabet[Number.parseInt(five, 2)]).join('')
  return (letters.match(/.{4}/g) ?? []).join('-')
}

const canonical = (code: string) => code.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1')

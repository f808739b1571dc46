// Moves many users in at once: each row for itself, or all or nothing. The unique index says whose address is taken.
import type { Actor } from '../platform/actor.ts'
import type { Change, RecordEvent } from '../platform/data/change.ts'
import { type Database, isUnavailable, type TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import { mapInSlices } from '../platform/slices.ts'
import type { ImportOutcome, ImportResult } from './import.ts'
import { type Candidate, checkRow, failed, type HashFault, taken } from './import-rows.ts'

/** Keeps passwords that another system hashed. */
export interface ForeignPasswords {
  readonly faultOf: HashFault
  keep(tx: TransactionClient, passwords: readonly { userId: string; hash: string }[]): Promise<void>
}

/** Imports users. */
export interface UserImports {
  /**
   * Answers a result a row. `isWhole`: nothing is written unless every row can be, and then `validation_failed` names the rows.
   * A dry run writes nothing and tells what would be. Of rows with one address the first is made.
   */
  run(actor: Actor, given: { rows: readonly unknown[]; isDryRun: boolean; isWhole: boolean }): Promise<ImportOutcome>
}

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly passwords: ForeignPasswords
  readonly now: () => Date
}

// Small enough that nobody else waits long: the embedded database does one thing at a time.
const batchSize = 250
const maxFaults = 1000

/** Makes the service. */
export const createUserImports = ({ database, change, passwords, now }: Needs): UserImports => {
  const look = async (candidates: readonly Candidate[]): Promise<ImportResult[]> => {
    const known = new Set<string>()
    for (const batch of batchesOf(candidates)) {
      const where = { emailNormalized: { in: batch.map(({ emailNormalized }) => emailNormalized) }, deletedAt: null }
      for (const row of await database.prisma.user.findMany({ where, select: { emailNormalized: true } })) known.add(row.emailNormalized)
    }
    return candidates.map(candidate => {
      if (known.has(candidate.emailNormalized)) return taken(candidate)
      known.add(candidate.emailNormalized)
      return { row: candidate.row, status: 'valid', id: null, email: candidate.email, error: null }
    })
  }

  const make = async (candidates: readonly Candidate[], { tx, record }: { tx: TransactionClient; record: RecordEvent }): Promise<ImportResult[]> => {
    const verifiedAt = now()
    const data = candidates.map(({ email, emailNormalized, isEmailVerified, name, locale }) => ({
      email,
      emailNormalized,
      emailVerifiedAt: isEmailVerified ? verifiedAt : null,
      name,
      locale,
    }))
    const rows = await tx.user.createManyAndReturn({ data, skipDuplicates: true })
    const made = new Map(rows.map(row => [row.emailNormalized, row]))
    const hashes: { userId: string; hash: string }[] = []
    const results = candidates.map(candidate => {
      const row = made.get(candidate.emailNormalized)
      if (!row) return taken(candidate)
      made.delete(candidate.emailNormalized)
      if (candidate.passwordHash !== undefined) hashes.push({ userId: row.id, hash: candidate.passwordHash })
      record('user.created', row)
      return { row: candidate.row, status: 'created', id: row.id, email: row.email, error: null } as const
    })
    await passwords.keep(tx, hashes)
    return results
  }

  const makeBatch = async (actor: Actor, batch: readonly Candidate[]): Promise<ImportResult[]> => {
    try {
      return await change(actor, async (tx, record) => {
        const results = await make(batch, { tx, record })
        // A change without an event is none.
        if (results.every(({ status }) => status === 'failed')) throw new Problem('email_taken')
        return results
      })
    } catch (error) {
      if (error instanceof Problem && error.code === 'email_taken') return batch.map(taken)
      throw error
    }
  }

  const makeEach = async (actor: Actor, candidates: readonly Candidate[]): Promise<ImportResult[]> => {
    const results: ImportResult[] = []
    for (const batch of batchesOf(candidates)) {
      try {
        results.push(...(await makeBatch(actor, batch)))
      } catch (error) {
        // What was made is told, and so is what was not: those rows can be sent again.
        if (results.length === 0 || !isUnavailable(error)) throw error
        return [...results, ...candidates.slice(results.length).map(candidate => failed(candidate, 'unavailable'))]
      }
    }
    return results
  }

  const makeAll = (actor: Actor, candidates: readonly Candidate[]): Promise<ImportResult[]> =>
    change(actor, async (tx, record) => {
      const results: ImportResult[] = []
      for (const batch of batchesOf(candidates)) results.push(...(await make(batch, { tx, record })))
      refuseFailed(results)
      return results
    })

  return {
    run: async (actor, { rows, isDryRun, isWhole }) => {
      const checked = await mapInSlices(rows, (given, row) => checkRow(given, { row, hashFault: passwords.faultOf }))
      const wrong = checked.filter(isResult)
      if (isWhole && !isDryRun) refuseFailed(wrong)
      // By address: two imports at once take the rows of the index in one order, and so never wait for each other in a circle.
      const candidates = checked.filter(isCandidate).toSorted((a, b) => compare(a.emailNormalized, b.emailNormalized) || a.row - b.row)
      const results = await (isDryRun ? look(candidates) : (isWhole ? makeAll : makeEach)(actor, candidates))
      return outcomeOf([...wrong, ...results], isDryRun)
    },
  }
}

const isResult = (one: Candidate | ImportResult): one is ImportResult => 'status' in one
const isCandidate = (one: Candidate | ImportResult): one is Candidate => !isResult(one)
const compare = (a: string, b: string) => (a < b ? -1 : Number(a > b))

function* batchesOf(candidates: readonly Candidate[]) {
  for (let from = 0; from < candidates.length; from += batchSize) yield candidates.slice(from, from + batchSize)
}

const refuseFailed = (results: readonly ImportResult[]): void => {
  const fields = results.flatMap(({ row, error }) => (error?.fields ?? []).map(({ path, message }) => ({ path: ['users', row, path].join('.'), message })))
  if (fields.length > 0) throw new Problem('validation_failed', { fields: fields.slice(0, maxFaults) })
}

const outcomeOf = (unordered: readonly ImportResult[], isDryRun: boolean): ImportOutcome => {
  const count = (status: ImportResult['status']) => unordered.filter(one => one.status === status).length
  const results = unordered.toSorted((a, b) => a.row - b.row)
  return { dry_run: isDryRun, created: count('created'), valid: count('valid'), failed: count('failed'), results }
}

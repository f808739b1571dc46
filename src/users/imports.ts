// Moves many users in at once: each row for itself, or all or nothing. The unique index says whose address is taken.
import type { Actor } from '../platform/actor.ts'
import type { Change, RecordEvent } from '../platform/data/change.ts'
import { type Database, isUnavailable, type TransactionClient } from '../platform/data/database.ts'
import { Problem, type ProblemCode } from '../platform/errors.ts'
import type { Log } from '../platform/log.ts'
import { mapInSlices } from '../platform/slices.ts'
import { type ImportOutcome, type ImportResult, maxWholeRows } from './import.ts'
import { type Candidate, checkRow, failed, type HashFault, taken } from './import-rows.ts'

/** Keeps passwords that another system hashed. */
export interface ForeignPasswords {
  readonly faultOf: HashFault
  keep(tx: TransactionClient, passwords: readonly { userId: string; hash: string }[]): Promise<void>
}

/** Imports users. */
export interface UserImports {
  /**
   * Answers a result a row. `isWhole`: nothing is written unless every row can be, and then `validation_failed` names the rows,
   * or says that they are too many.
   * A dry run writes nothing and tells what would be. Of rows with one address the first is made.
   */
  run(actor: Actor, given: { rows: readonly unknown[]; isDryRun: boolean; isWhole: boolean }): Promise<ImportOutcome>
}

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly passwords: ForeignPasswords
  readonly log: Log
  readonly now: () => Date
  readonly newUuid: () => string
}

// Small enough that nobody else waits long: the embedded database does one thing at a time.
const batchSize = 250
const maxFaults = 1000

/** Makes the service. */
export const createUserImports = ({ database, change, passwords, log, now, newUuid }: Needs): UserImports => {
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
    const rows = candidates.map(candidate => ({ ...candidate, id: newUuid() }))
    const made = await insert(tx, rows, now())
    await passwords.keep(
      tx,
      rows.flatMap(({ id, passwordHash }) => (made.has(id) && passwordHash !== undefined ? { userId: id, hash: passwordHash } : [])),
    )
    return rows.map(({ id, row, email, name, ...rest }) => {
      if (!made.has(id)) return taken({ row, email, name, ...rest })
      record('user.created', { id, email, name })
      return { row, status: 'created', id, email, error: null }
    })
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
      if (isProblem(error, ['email_taken'])) return batch.map(taken)
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
        // Who was suspended or demoted meanwhile is told nothing more.
        if (results.length === 0 || isProblem(error, ['unauthenticated', 'forbidden'])) throw error
        const isPassing = isUnavailable(error) || isProblem(error, ['busy'])
        log[isPassing ? 'warn' : 'error']({ err: error, made: results.length }, 'An import ended before its end.')
        return [...results, ...candidates.slice(results.length).map(candidate => failed(candidate, isPassing ? 'unavailable' : 'internal'))]
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
      if (isWhole && rows.length > maxWholeRows) throw tooMany()
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

// One statement, written by hand: Prisma takes ten times as long over as many rows. Answers the ids of those that were free.
const insert = async (tx: TransactionClient, rows: readonly (Candidate & { readonly id: string })[], at: Date): Promise<ReadonlySet<string>> => {
  const given = rows.map(({ id, email, emailNormalized, isEmailVerified, name, locale }) => ({
    id,
    email,
    email_normalized: emailNormalized,
    email_verified_at: isEmailVerified ? at : null,
    name,
    locale,
  }))
  const made = await tx.$queryRaw<{ id: string }[]>`
    INSERT INTO users (id, email, email_normalized, email_verified_at, name, locale, created_at, updated_at)
    SELECT id, email, email_normalized, email_verified_at, name, locale, ${at}::timestamptz, ${at}::timestamptz
    FROM json_to_recordset(${JSON.stringify(given)}::json)
      AS given (id uuid, email text, email_normalized text, email_verified_at timestamptz, name text, locale text)
    ON CONFLICT (email_normalized) WHERE deleted_at IS NULL DO NOTHING RETURNING id`
  return new Set(made.map(({ id }) => id))
}

const tooMany = () => new Problem('validation_failed', { fields: [{ path: 'users', message: `Of all or none there may be ${maxWholeRows}.` }] })

const isProblem = (error: unknown, codes: readonly ProblemCode[]) => error instanceof Problem && codes.includes(error.code)

const isResult = (one: Candidate | ImportResult): one is ImportResult => 'status' in one
const isCandidate = (one: Candidate | ImportResult): one is Candidate => !isResult(one)
const compare = (a: string, b: string) => (a < b ? -1 : Number(a > b))

function* batchesOf(candidates: readonly Candidate[]) {
  for (let from = 0; from < candidates.length; from += batchSize) yield candidates.slice(from, from + batchSize)
}

const refuseFailed = (results: readonly ImportResult[]): void => {
  const fields = results.flatMap(({ row, error }) =>
    (error?.fields ?? []).map(({ path, message }) => ({ path: ['users', row, ...(path === '' ? [] : [path])].join('.'), message })),
  )
  if (fields.length > 0) throw new Problem('validation_failed', { fields: fields.slice(0, maxFaults) })
}

const outcomeOf = (unordered: readonly ImportResult[], isDryRun: boolean): ImportOutcome => {
  const count = (status: ImportResult['status']) => unordered.filter(one => one.status === status).length
  const results = unordered.toSorted((a, b) => a.row - b.row)
  return { dry_run: isDryRun, created: count('created'), valid: count('valid'), failed: count('failed'), results }
}

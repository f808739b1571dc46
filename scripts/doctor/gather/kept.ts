// Finds out what lies in the tables: migrations, keys, people, jobs.
import { demoNames, demoRows } from '../../../src/demo-kept.ts'
import { readMigrations } from '../../../src/platform/data/migrations.ts'
import { createSecrets } from '../../../src/platform/secrets.ts'
import type { Environment, KeptFacts, KeyFacts, MigrationFacts } from '../facts.ts'
import type { Ask } from './database.ts'
import { secretsGiven } from './sealed.ts'

const keyRows = `SELECT kid, algorithm, state, sealed_jwk AS "sealedJwk", public_jwk ->> 'use' AS use,
  (extract(epoch FROM now() - coalesce(activated_at, created_at)) / 86400)::float8 AS days FROM signing_keys`

const keptRow = `SELECT
  (SELECT count(*)::int FROM jobs WHERE dead_at IS NOT NULL) AS "deadJobs",
  (SELECT coalesce(max(extract(epoch FROM now() - greatest(run_at, locked_until)) / 60), 0)::float8 FROM jobs
    WHERE dead_at IS NULL AND run_at <= now() AND (locked_until IS NULL OR locked_until < now())) AS "overdueMinutes",
  count(*)::int AS admins,
  count(*) FILTER (WHERE NOT EXISTS (
    SELECT 1 FROM authenticators WHERE user_id = users.id AND confirmed_at IS NOT NULL AND authenticators.deleted_at IS NULL))::int AS "adminsOfOneFactor"
  FROM users WHERE system_role = 'admin' AND deleted_at IS NULL AND suspended_at IS NULL`

interface KeyRow {
  readonly kid: string
  readonly algorithm: string
  readonly state: string
  readonly sealedJwk: string
  readonly use: string
  readonly days: number
}

/** Holds the history of the database against our files. */
export const gatherMigrations = async (ask: Ask): Promise<MigrationFacts> => {
  const files = readMigrations()
  const [table] = await ask<{ isThere: boolean }>(`SELECT to_regclass('"_prisma_migrations"') IS NOT NULL AS "isThere"`)
  const rows = table?.isThere
    ? await ask<{ name: string; checksum: string; isFinished: boolean }>(
        'SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS "isFinished" FROM "_prisma_migrations" WHERE rolled_back_at IS NULL',
      )
    : []
  const of = (name: string) => rows.find(row => row.name === name)
  return {
    isEmpty: rows.length === 0,
    missing: files.filter(({ name }) => !of(name)).map(({ name }) => name),
    unknown: rows.filter(({ name }) => !files.some(file => file.name === name)).map(({ name }) => name),
    edited: files.filter(({ name, checksum }) => of(name)?.isFinished && of(name)?.checksum !== checksum).map(({ name }) => name),
    unfinished: rows.filter(({ isFinished }) => !isFinished).map(({ name }) => name),
  }
}

/** Looks at the signing keys, and tries one with SECRET_KEY. */
export const gatherKeys = async (ask: Ask, environment: Environment): Promise<KeyFacts> => {
  const rows = await ask<KeyRow>(keyRows)
  const algorithms = [...new Set(rows.map(({ algorithm }) => algorithm))]
  const current = rows.filter(({ state }) => state === 'current')
  const has = (algorithm: string, state: string) => rows.some(row => row.algorithm === algorithm && row.state === state)
  return {
    withoutCurrent: rows.length === 0 ? ['any algorithm'] : algorithms.filter(algorithm => !has(algorithm, 'current')),
    // Keys under which others encrypt for us need not be known ahead.
    withoutNext: [...new Set(current.filter(({ use, algorithm }) => use === 'sig' && !has(algorithm, 'next')).map(({ algorithm }) => algorithm))],
    oldestDays: current.length === 0 ? undefined : Math.max(...current.map(({ days }) => days)),
    isOpened: current[0] && isOpened(current[0], environment),
  }
}

/** Counts what operators ought to know of. */
export const gatherKept = async (ask: Ask): Promise<KeptFacts | undefined> => {
  const [counts] = await ask<Omit<KeptFacts, 'demo'>>(keptRow)
  const demo = await ask<{ name: string; isOpen: boolean }>(demoRows, demoNames)
  return counts && { ...counts, demo: demo.filter(({ isOpen }) => isOpen).map(({ name }) => name) }
}

const isOpened = ({ kid, sealedJwk }: KeyRow, environment: Environment): boolean | undefined => {
  const given = secretsGiven(environment)
  if (!given) return undefined
  try {
    createSecrets(given).unseal('signing-key', sealedJwk, kid)
    return true
  } catch (error) {
    if (error instanceof Error) return false
    throw error
  }
}

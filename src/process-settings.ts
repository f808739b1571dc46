// How many processes there are, how they stop, how long a request may take, and what each process may ask of the database at once: their settings.
import { z } from 'zod'
import { wholeNumber } from './setting-schemas.ts'

const numberOr = (schema: z.ZodType<number>, value: number) => z.preprocess(given => (given === '' || given === undefined ? value : given), schema)

/** Their variables. */
export const processSettings = {
  WORKERS: numberOr(wholeNumber({ of: 'processes', least: 1, most: 128 }), 1),
  SHUTDOWN_GRACE_SECONDS: z.preprocess(given => (given === '' ? undefined : given), wholeNumber({ of: 'seconds', least: 0, most: 300 }).optional()),
  DATABASE_POOL_SIZE: numberOr(wholeNumber({ of: 'connections', least: 1, most: 500 }), 10),
  REQUEST_TIMEOUT_SECONDS: numberOr(z.coerce.number('must be a number of seconds from 1 to 300').min(1).max(300), 10),
}

interface Given {
  readonly WORKERS: number
  readonly SHUTDOWN_GRACE_SECONDS?: number | undefined
  readonly DATABASE_POOL_SIZE: number
  readonly REQUEST_TIMEOUT_SECONDS: number
  readonly NODE_ENV: string
}

/** The settings, parsed. */
export interface ProcessConfig {
  /** How many server processes `npm start` runs. */
  readonly workers: number
  /** For how long a process that is asked to stop goes on serving, so that balancers find out. */
  readonly shutdownGraceSeconds: number
  /** The most connections to PostgreSQL that requests of one process use at once. */
  readonly databasePoolSize: number
  /** After that a request is given up, unless it changed something. */
  readonly requestTimeoutSeconds: number
}

const productionGraceSeconds = 5

/** What is made of them. */
export const processConfigOf = ({ NODE_ENV, ...given }: Given): ProcessConfig => ({
  workers: given.WORKERS,
  shutdownGraceSeconds: given.SHUTDOWN_GRACE_SECONDS ?? (NODE_ENV === 'production' ? productionGraceSeconds : 0),
  databasePoolSize: given.DATABASE_POOL_SIZE,
  requestTimeoutSeconds: given.REQUEST_TIMEOUT_SECONDS,
})

/** One sentence for each of them that does not go with the rest. */
export const processFaults = ({ WORKERS, DATABASE_URL }: Readonly<Record<string, string | undefined>>): string[] =>
  Number(WORKERS) > 1 && !DATABASE_URL ? ['WORKERS above 1 needs DATABASE_URL: the embedded database is for one process'] : []

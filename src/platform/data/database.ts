// The database: one pool for Prisma and for raw statements, to a PostgreSQL server or to the embedded one.

import { PrismaPg } from '@prisma/adapter-pg'
import type pg from 'pg'
import { describeUrl, embeddedPool, serverPool, statementNames } from './connection.ts'
import { type DataLog, silent } from './data-log.ts'
import { type Embedded, startEmbedded } from './embedded.ts'
import { messageOf } from './failures.ts'
import type { Prisma } from './generated/client.ts'
import { PrismaClient } from './generated/client.ts'
import { createOutages, type Outages } from './outages.ts'
import { StartError } from './start-error.ts'
import { withDeadlines } from './statement-deadline.ts'
import { toldStatements } from './statement-spans.ts'
import { createTransact, type Transact } from './transact.ts'

export { isReadOnly, isUnavailable, uniqueViolation } from './failures.ts'
export type { Prisma, PrismaClient } from './generated/client.ts'

/** Prisma inside a transaction. */
export type TransactionClient = Prisma.TransactionClient

/** A statement that is planned once a connection. Its name is unique among all statements. */
export interface Statement {
  readonly name: string
  readonly text: string
}

/** Makes a {@link Statement}. */
export function statement(name: string, text: string): Statement {
  return { name, text }
}

/** How the database fares, for health checks and metrics. */
export interface DatabaseState {
  readonly embedded: boolean
  /** The embedded database refuses writes, because the disk is nearly full. */
  readonly diskLow: boolean
  /** The embedded database's process was started again so many times. */
  readonly restarts: number
  /** Those of the pool, which requests and jobs share. */
  readonly connections: { readonly open: number; readonly idle: number; readonly waiting: number }
}

/** The open database. */
export interface Database {
  readonly prisma: PrismaClient
  readonly pool: pg.Pool
  readonly embedded: boolean
  readonly transact: Transact
  /** Sends a statement in one round trip and gives its rows. */
  run<Row>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>
  /** As {@link Database.run}, over a connection that requests cannot use up: for what looks after them. */
  runAside<Row>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>
  /** Throws when the database does not answer; requests that wait for a connection do not make it wait. */
  ping(): Promise<void>
  state(): DatabaseState
  /** How many connections are open, that of {@link Database.runAside} among them. */
  openConnections(): number
  /** How many statements were sent, but for those of {@link Database.runAside} and {@link Database.ping} at a PostgreSQL server. */
  roundTrips(): number
  /** Runs work whose statements may take longer than the embedded database's watchdog allows. */
  unwatched<Result>(work: () => Promise<Result>): Promise<Result>
  close(): Promise<void>
}

/** Where the database is: at `url`, or embedded in `dataDir`. */
export interface DatabaseOptions {
  readonly url?: string | undefined
  readonly dataDir: string
  readonly log?: DataLog
  /** Connections to a PostgreSQL server; the embedded database has one. */
  readonly poolSize?: number
  /** Room on the disk, in bytes, below which the embedded database takes no writes. */
  readonly floorBytes?: number
  /** Whether the embedded database lives for seconds: then nothing is spent on making its code faster. */
  readonly isBrief?: boolean
}

const closeMillis = 5000

/** Opens the database and waits until it answers. Throws a StartError whose message holds no password. */
export async function openDatabase({ url, dataDir, log = silent, poolSize, floorBytes, isBrief }: DatabaseOptions): Promise<Database> {
  let trips = 0
  const onTrip = () => {
    trips++
  }
  const place = url === undefined ? dataDir : describeUrl(url)
  const embedded = url === undefined ? await startEmbedded({ dataDir, log, floorBytes, isBrief }) : undefined
  const outages = createOutages(log)
  const pool = withDeadlines(toldStatements(embedded ? embeddedPool(embedded.host, { onTrip }) : serverPool(url ?? '', { onTrip, poolSize, outages })))
  // The embedded database has one session, and so one connection.
  const aside = embedded ? pool : serverPool(url ?? '', { onTrip: () => undefined, poolSize: 1, outages })
  const pools = [...new Set([pool, aside])]
  // An idle connection that breaks is replaced by the next statement; without a listener it would end the process.
  for (const one of pools) one.on('error', error => log.warn({ err: error }, 'A connection to the database was lost.'))
  const nameOf = statementNames()
  const prisma = new PrismaClient({
    adapter: new PrismaPg(pool, { statementNameGenerator: nameOf }),
    // Of the embedded database's one connection everybody has their turn.
    transactionOptions: { maxWait: embedded ? 15_000 : 5000, timeout: 10_000 },
    errorFormat: 'minimal',
  })
  const ping = async () => {
    await aside.query('SELECT 1')
  }
  const close = closer({ prisma, pools, embedded, outages })
  try {
    await ping()
  } catch (error) {
    await close()
    throw new StartError(
      'database_unreachable',
      `The database at ${place} cannot be used: ${messageOf(error)}. Check DATABASE_URL and that PostgreSQL is running.`,
    )
  }
  outages.watch()
  return {
    prisma,
    pool,
    embedded: embedded !== undefined,
    transact: createTransact({ prisma, pool, nameOf }),
    run: <Row>(one: Statement, values?: readonly unknown[]) => send<Row>(pool, one, values),
    runAside: <Row>(one: Statement, values?: readonly unknown[]) => send<Row>(aside, one, values),
    ping,
    state: () => ({
      embedded: embedded !== undefined,
      diskLow: embedded?.state().isDiskLow ?? false,
      restarts: embedded?.state().restarts ?? 0,
      connections: { open: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount },
    }),
    openConnections: () => pools.reduce((sum, { totalCount }) => sum + totalCount, 0),
    roundTrips: () => trips,
    unwatched: work => (embedded ? embedded.unwatched(work) : work()),
    close,
  }
}

async function send<Row>(pool: pg.Pool, { name, text }: Statement, values: readonly unknown[] = []): Promise<Row[]> {
  return (await pool.query({ name, text, values: [...values] })).rows as Row[]
}

interface Closed {
  readonly prisma: PrismaClient
  readonly pools: readonly pg.Pool[]
  readonly embedded: Embedded | undefined
  readonly outages: Outages
}

function closer({ prisma, pools, embedded, outages }: Closed): () => Promise<void> {
  let closing: Promise<void> | undefined
  const close = async () => {
    outages.leave()
    await prisma.$disconnect()
    // A connection that nobody gave back must not keep the server from leaving.
    let timer: NodeJS.Timeout | undefined
    await Promise.race([Promise.all(pools.map(pool => pool.end())), new Promise(resolve => (timer = setTimeout(resolve, closeMillis)))])
    clearTimeout(timer)
    await embedded?.stop()
  }
  return () => (closing ??= close())
}

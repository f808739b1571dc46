// How connections to PostgreSQL are made: the limits they live under, the statements they name, the trips they count.
import { createHash } from 'node:crypto'
import pg from 'pg'
import { told } from '../tracing/tracing.ts'
import type { Outages } from './outages.ts'
import { StartError } from './start-error.ts'
import { keepStatementDeadline } from './statement-deadline.ts'
import { describeStatement } from './statement-spans.ts'

/** How many connections to a PostgreSQL server a process opens at most. */
export const connectionsAProcess = 10

/** What all connections have in common. */
interface PoolOptions {
  readonly onTrip: () => void
  readonly poolSize?: number | undefined
  /** Hears of each connection. */
  readonly outages?: Outages | undefined
}

// For how long one statement, the wait for a row that another holds, and a transaction that says nothing may last at a PostgreSQL server.
const statementMilliseconds = 3000
// The head of a chain of the audit log is locked by each change in turn: on a busy machine the last of thirty waits for more than a second.
const lockMilliseconds = 2500
const silentTransactionMilliseconds = 5000

// What every session is set to, whatever the server, the database or the role would have it be.
const sessionSettings = [
  // A statement that is planned while its table is small would scan it whole, and that plan is kept while the table grows. A scan that
  // cannot be avoided then seems so dear that it is compiled first, which takes a third of a second: never worth it here.
  'enable_seqscan = off',
  'jit = off',
  // Prisma writes times without a zone, and takes every zone it reads for UTC; the driver, and what is compared in SQL, take the session's.
  "TimeZone = 'UTC'",
  "DateStyle = 'ISO'",
  // Whoever waited for a row looks at what was committed meanwhile.
  "default_transaction_isolation = 'read committed'",
  // Prisma names the schema, migrations and statements of our own do not.
  'search_path = public',
  // In a string a backslash is a backslash.
  'standard_conforming_strings = on',
]
  .map(setting => `SET ${setting}`)
  .join('; ')

/** The pool of a PostgreSQL server. Nothing waits for ever: not a connection, a statement, a lock, nor a transaction that was forgotten. */
export function serverPool(url: string, { onTrip, poolSize = connectionsAProcess, outages }: PoolOptions): pg.Pool {
  return new pg.Pool({
    connectionString: url,
    Client: countingClient(onTrip, outages),
    max: poolSize,
    application_name: 'authy2',
    connectionTimeoutMillis: 2000,
    idleTimeoutMillis: 30_000,
    // New connections find a database that moved, and forget the statements that old ones prepared.
    maxLifetimeSeconds: 1800,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    statement_timeout: statementMilliseconds,
    // The server's own limit cannot speak when the server is gone without a word.
    query_timeout: statementMilliseconds + 1000,
    lock_timeout: lockMilliseconds,
    idle_in_transaction_session_timeout: silentTransactionMilliseconds,
    onConnect: client => client.query(sessionSettings).then(() => undefined),
  })
}

/**
 * The pool of the embedded database, which has one session whatever the connections: one connection is the fastest, and lets statements be prepared by name.
 * What an earlier connection prepared is still there and is dropped first.
 */
export function embeddedPool(host: string, { onTrip }: PoolOptions): pg.Pool {
  return new pg.Pool({
    host,
    port: 5432,
    user: 'postgres',
    database: 'postgres',
    Client: countingClient(onTrip),
    max: 1,
    connectionTimeoutMillis: 15_000,
    idleTimeoutMillis: 0,
    onConnect: client => client.query(`DEALLOCATE ALL; ${sessionSettings}`).then(() => undefined),
  })
}

/** Where a connection URL leads, without who goes there. Throws a StartError `database_url_invalid`. */
export function describeUrl(url: string): string {
  if (!URL.canParse(url))
    throw new StartError(
      'database_url_invalid',
      'DATABASE_URL is not a URL. It looks like postgresql://user:password@host:5432/database, with special characters percent-encoded.',
    )
  const { host, pathname } = new URL(url)
  return `${host || 'localhost'}${pathname}`
}

/** Names for the statements of Prisma, so that the server plans them once a connection. After a thousand the rest stay unnamed: lists of varying length. */
export function statementNames(limit = 1000): (query: { readonly sql: string }) => string {
  const names = new Map<string, string>()
  return ({ sql }) => {
    const known = names.get(sql)
    if (known !== undefined || names.size >= limit) return known ?? ''
    const name = `prisma-${createHash('sha256').update(sql).digest('base64url').slice(0, 22)}`
    names.set(sql, name)
    return name
  }
}

function countingClient(onTrip: () => void, outages?: Outages): new () => pg.Client {
  return class extends pg.Client {
    constructor(config?: pg.ClientConfig) {
      super(config)
      if (outages) tellConnecting(this, outages)
      const send = told(this.query.bind(this) as (...query: unknown[]) => unknown, describeStatement)
      Object.assign(this, {
        query: (...query: unknown[]) => {
          // Whoever calls back is the pool, which looked before it waited for a connection.
          if (typeof query.at(-1) !== 'function') keepStatementDeadline(query[0])
          onTrip()
          return send(...query)
        },
      })
    }
  }
}

type Connect = (callback: (error: Error | undefined) => void) => void

// The pool calls back; how a connection ends is heard of after it was made alone.
function tellConnecting(client: pg.Client, outages: Outages): void {
  const connect = client.connect.bind(client) as Connect
  const tellingConnect: Connect = callback =>
    connect(error => {
      outages.onTried(error ?? undefined)
      if (!error) client.once('end', outages.onOver)
      callback(error)
    })
  Object.assign(client, { connect: tellingConnect })
}

// How connections to PostgreSQL are made: the limits they live under, the statements they name, the trips they count.
import { createHash } from 'node:crypto'
import pg from 'pg'
import { StartError } from './start-error.ts'

/** What all connections have in common. */
interface PoolOptions {
  readonly onTrip: () => void
  readonly poolSize?: number | undefined
}

// A statement that is planned while its table is small would scan it whole, and that plan is kept while the table grows. A scan that
// cannot be avoided then seems so dear that it is compiled first, which takes a third of a second: never worth it here.
const indexesFirst = 'SET enable_seqscan = off; SET jit = off'

/** The pool of a PostgreSQL server. Nothing waits for ever: not a connection, a statement, a lock, nor a transaction that was forgotten. */
export function serverPool(url: string, { onTrip, poolSize = 10 }: PoolOptions): pg.Pool {
  return new pg.Pool({
    connectionString: url,
    Client: countingClient(onTrip),
    max: poolSize,
    application_name: 'authy2',
    connectionTimeoutMillis: 2000,
    idleTimeoutMillis: 30_000,
    // New connections find a database that moved, and forget the statements that old ones prepared.
    maxLifetimeSeconds: 1800,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    statement_timeout: 5000,
    // The server's own limit cannot speak when the server is gone without a word.
    query_timeout: 6000,
    lock_timeout: 3000,
    idle_in_transaction_session_timeout: 15_000,
    onConnect: client => client.query(indexesFirst).then(() => undefined),
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
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 0,
    onConnect: client => client.query(`DEALLOCATE ALL; ${indexesFirst}`).then(() => undefined),
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

function countingClient(onTrip: () => void): new () => pg.Client {
  return class extends pg.Client {
    constructor(config?: pg.ClientConfig) {
      super(config)
      const send = this.query.bind(this) as (...query: unknown[]) => unknown
      Object.assign(this, {
        query: (...query: unknown[]) => {
          onTrip()
          return send(...query)
        },
      })
    }
  }
}

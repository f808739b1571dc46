// Transactions: Prisma's, whose raw statements go straight over their connection.
//
// Prisma takes 75 µs for each raw statement besides what the driver takes (16), and the events of a change are two to four of them. It tells
// nobody which connection a transaction has, but takes it from our pool while it begins. Where it should not some day, and once it has
// sent the end, its own raw statements do the same, or say that the transaction is over.
import { AsyncLocalStorage } from 'node:async_hooks'
import type pg from 'pg'
import type { PrismaClient, TransactionClient } from './database.ts'
import { type RawStatements, rawStatements } from './raw-transaction.ts'
import { textOf } from './statement-text.ts'

/** Runs work in a transaction, which commits when the work is done and is rolled back when it throws. */
export type Transact = <Result>(work: (tx: TransactionClient) => Promise<Result>) => Promise<Result>

interface Needs {
  readonly prisma: PrismaClient
  /** The one that Prisma takes its connections from; it is wrapped. */
  readonly pool: pg.Pool
  readonly nameOf: (query: { readonly sql: string }) => string
}

/** A transaction: its raw statements from when it has a connection until its end is sent. */
interface Begun {
  hasConnection: boolean
  statements: RawStatements | undefined
}

const end = /^\s*(?:commit|rollback(?!\s+to\b))\b/i

/** Makes the verb. */
export const createTransact = ({ prisma, pool, nameOf }: Needs): Transact => {
  const beginning = new AsyncLocalStorage<Begun>()

  const hold = (client: pg.PoolClient, begun: Begun): pg.PoolClient => {
    const query = client.query as (...given: unknown[]) => unknown
    begun.hasConnection = true
    begun.statements = rawStatements(client, nameOf)
    return Object.assign(client, {
      query: (...given: unknown[]) => {
        if (end.test(textOf(given[0]))) {
          begun.statements = undefined
          Object.assign(client, { query })
        }
        return query(...given)
      },
    })
  }

  const connect = pool.connect.bind(pool) as (...given: unknown[]) => unknown
  Object.assign(pool, {
    connect: (...given: unknown[]) => {
      const begun = beginning.getStore()
      if (!begun || begun.hasConnection || given.length > 0) return connect(...given)
      return (connect() as Promise<pg.PoolClient>).then(client => hold(client, begun))
    },
  })

  return work => {
    const begun: Begun = { hasConnection: false, statements: undefined }
    return beginning.run(begun, () => prisma.$transaction(tx => work(straight(tx, begun))))
  }
}

const straight = (tx: TransactionClient, begun: Begun): TransactionClient =>
  new Proxy(tx, { get: (target, key) => (begun.statements && key in begun.statements ? Reflect.get(begun.statements, key) : Reflect.get(target, key)) })

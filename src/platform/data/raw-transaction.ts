// Raw statements in a transaction on a bare connection, as Prisma's transactions take them.
import type { TransactionClient } from './database.ts'
import { Prisma } from './generated/client.ts'
import type { Connection } from './tables.ts'

/** The raw statements of a transaction, each with values; those that are written as templates with fragments too. */
export type RawStatements = Pick<TransactionClient, '$queryRaw' | '$queryRawUnsafe' | '$executeRaw' | '$executeRawUnsafe'>

type Given = TemplateStringsArray | Prisma.Sql

/** Sends them over a connection; `nameOf` names those that are to be planned once. A 64-bit number comes as a string of digits. */
export function rawStatements(client: Connection, nameOf?: (query: { readonly sql: string }) => string): RawStatements {
  const send = (text: string, values: readonly unknown[]) => client.query({ ...(nameOf ? { name: nameOf({ sql: text }) } : {}), text, values: [...values] })
  const sendTemplate = (given: Given, values: readonly unknown[]) => {
    const sql = 'raw' in given ? Prisma.sql(given, ...values) : given
    return send(sql.text, sql.values)
  }
  return {
    $queryRaw: async (given: Given, ...values: unknown[]) => (await sendTemplate(given, values)).rows,
    $queryRawUnsafe: async (text: string, ...values: unknown[]) => (await send(text, values)).rows,
    $executeRaw: async (given: Given, ...values: unknown[]) => (await sendTemplate(given, values)).rowCount ?? 0,
    $executeRawUnsafe: async (text: string, ...values: unknown[]) => (await send(text, values)).rowCount ?? 0,
  } as unknown as RawStatements
}

/** A transaction of our own, for what is written to take one of Prisma's: it has raw statements alone. */
export const rawTransaction = (client: Connection): TransactionClient => rawStatements(client) as unknown as TransactionClient

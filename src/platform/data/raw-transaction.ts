// A transaction of our own on a bare connection, for what is written to take one of Prisma's.
import type { TransactionClient } from './database.ts'
import { Prisma } from './generated/client.ts'
import type { Connection } from './tables.ts'

/** The raw statements of one alone: `$queryRaw` and `$executeRaw`, with values and fragments, and `$executeRawUnsafe`. */
export function rawTransaction(client: Connection): TransactionClient {
  const send = (texts: TemplateStringsArray, given: unknown[]) => {
    const { text, values } = Prisma.sql(texts, ...given)
    return client.query(text, values)
  }
  return {
    $queryRaw: async (texts: TemplateStringsArray, ...values: unknown[]) => (await send(texts, values)).rows,
    $executeRaw: async (texts: TemplateStringsArray, ...values: unknown[]) => (await send(texts, values)).rowCount ?? 0,
    $executeRawUnsafe: async (text: string, ...values: unknown[]) => (await client.query(text, values)).rowCount ?? 0,
  } as unknown as TransactionClient
}

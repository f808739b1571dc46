// Everything that a server keeps, as text: all rows of all tables, and all of Redis.
import type { Resources } from '../../src/resources.ts'

/** Each table's rows as JSON; bytes also as the text that they may be. */
export async function dumpDatabase({ database: { pool } }: Resources): Promise<ReadonlyMap<string, string>> {
  const { rows: tables } = await pool.query("SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'")
  const found = new Map<string, string>()
  for (const { name } of tables) {
    const { rows } = await pool.query(`SELECT to_jsonb(t)::text AS row FROM "${name}" t`)
    found.set(name, rows.map(({ row }) => `${row}\n${bytesOf(row)}`).join('\n'))
  }
  return found
}

/** All keys with their values, of the kinds that the server uses. */
export async function dumpRedis({ redis }: Resources): Promise<string> {
  if (!redis) return ''
  const kept: string[] = []
  for (const key of await redis.client.keys('*')) {
    const type = await redis.client.type(key)
    if (type === 'string') kept.push(key, String(await redis.client.get(key)))
    else if (type === 'hash') kept.push(key, JSON.stringify(await redis.client.hgetall(key)))
    else if (type === 'set') kept.push(key, JSON.stringify(await redis.client.smembers(key)))
    else if (type === 'list') kept.push(key, JSON.stringify(await redis.client.lrange(key, '0', '-1')))
    else throw new Error(`${key} is a ${type}, which is not read here`)
  }
  return kept.join('\n')
}

// PostgreSQL writes bytes as `\x…`: what would be text in them is told as text.
const bytesOf = (row: string) => [...row.matchAll(/\\\\x([\da-f]{16,})/g)].map(([, hex = '']) => Buffer.from(hex, 'hex').toString('latin1')).join('\n')

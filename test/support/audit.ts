// An audit log of a test's own, over a database alone, with a clock that the test moves, and what an attacker does to it.
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { z } from 'zod'
import { createAudit } from '../../src/audit/audit.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { createChange, event } from '../../src/platform/data/change.ts'
import { createChangeFeed } from '../../src/platform/data/change-feed.ts'
import type { Database } from '../../src/platform/data/database.ts'
import { genesisOf, leafOf, linkOf, systemChain } from '../../src/platform/data/event-chain.ts'
import { openLog } from '../../src/platform/log.ts'
import { createSecrets } from '../../src/platform/secrets.ts'
import { createUuids } from '../../src/platform/uuid.ts'
import { openTestDatabase } from './database.ts'

/** The expression that says which chain an event is in. */
export const chainOf = `coalesce(organization_id, '${systemChain}'::uuid)`

export type TestAudit = Awaited<ReturnType<typeof openTestAudit>>

/** Opens it, empty, over a database of its own unless one is given. */
export async function openTestAudit(given?: Database) {
  const database = given ?? (await openTestDatabase())
  const secrets = createSecrets({ secretKey: 'test-only-0123456789-abcdefghijklmnop', randomBytes })
  let at = Date.parse('2030-01-01T00:00:00Z')
  const now = () => new Date(at++)
  const uuids = createUuids(randomBytes)
  const newUuid = () => uuids(now())
  const change = createChange({
    database,
    events: { 'thing.changed': event('thing', { n: z.number(), of: z.record(z.string(), z.json()).optional() }) },
    secrets,
    now,
    newUuid,
    feed: createChangeFeed({ database, now }),
  })
  const actor = { ...systemActor, id: 'somebody', ip: '192.0.2.1', userAgent: 'a «test» \u{1f642}', requestId: randomUUID() }
  const sql = async <Row = Record<string, unknown>>(text: string, values: unknown[] = []) => (await database.pool.query(text, values)).rows as Row[]
  return {
    database,
    ...createAudit({ database, secrets, log: openLog('silent'), now, newUuid }),
    change,
    sql,
    /** One change that records so many events. */
    write: (organizationId?: string, count = 1) =>
      change(actor, async (_tx, record) => {
        for (let n = 0; n < count; n += 1) record('thing.changed', { id: `thing-${n}`, n, of: { b: [1.5, null, 'ü'], a: {} } }, { organizationId })
      }),
    makeOrganization: async () => {
      const id = randomUUID()
      await sql("INSERT INTO organizations (id, slug, name, created_at, updated_at) VALUES ($1, $2, 'Of a test', '2031-01-01', now())", [id, id])
      return id
    },
    passMinutes: (minutes: number) => {
      at += minutes * 60_000
    },
    close: () => database.close(),
  }
}

interface Stored {
  [column: string]: unknown
  id: string
  seq: string
  previous: Buffer
  hash: Buffer
  occurred_at: Date
}

/** What the owner of the database can do without the key: numbers, links and hashes of a chain's events are made anew, from an event on. */
export async function rechain({ sql }: TestAudit, chain: string, { from = 1, isHeadMoved = true } = {}) {
  const rows = await sql<Stored>(`SELECT * FROM audit_events WHERE ${chainOf} = $1 AND seq > 0 ORDER BY seq, id`, [chain])
  let hash = genesisOf(chain)
  for (const [index, row] of rows.entries()) {
    if (index + 1 < from) {
      hash = row.hash
      continue
    }
    const previous = hash
    hash = linkOf(previous, leafOf({ ...row, occurred_at: row.occurred_at.toISOString() } as never))
    await sql('UPDATE audit_events SET seq = $2, previous = $3, hash = $4 WHERE id = $1', [row.id, index + 1, previous, hash])
  }
  if (isHeadMoved) await sql('UPDATE audit_chains SET seq = $2, hash = $3 WHERE id = $1', [chain, rows.length, hash])
}

/** Keeps the log as it is and puts it back as often as wanted. */
export async function keepLog({ sql }: TestAudit) {
  const tables = ['audit_events', 'audit_chains', 'audit_checkpoints', 'audit_anchors', 'organizations']
  for (const table of tables) await sql(`CREATE TABLE kept_${table} AS TABLE ${table}`)
  return async () => {
    for (const table of tables) {
      await sql(`DELETE FROM ${table}`)
      await sql(`INSERT INTO ${table} SELECT * FROM kept_${table}`)
    }
  }
}

/** SHA-256 as anybody computes it. */
export const sha256 = (...parts: (string | Buffer)[]): Buffer => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest()

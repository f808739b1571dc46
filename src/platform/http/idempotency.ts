// Requests with an `Idempotency-Key` act once: the first inserts the key, the others are told its answer.
//
// A request may hold a password, so its digest is keyed: whoever has the table alone guesses nothing from it. Who may do less than the first
// is not told the answer, which may hold a secret that they could not have asked for: to them the key is used for another request.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from 'koa'
import { z } from 'zod'
import type { Actor } from '../actor.ts'
import { type Database, statement } from '../data/database.ts'
import { createPurge } from '../data/purge.ts'
import { asideOfDeadline } from '../deadline.ts'
import { Problem } from '../errors.ts'
import { hashOf, isOneOf, type Secrets } from '../secrets.ts'
import type { Told } from './mount.ts'

/** Runs a write, or tells again what it answered. Throws `idempotency_key_reused` and `idempotency_key_busy`. */
export type Once = (request: { ctx: Context; actor: Actor; key: string; run: () => Promise<Told> }) => Promise<Told>

const wellFormed = /^[\x21-\x7e]{1,255}$/
const waitMilliseconds = 5000
const lookMilliseconds = 50
const kept = z.object({ data: z.unknown(), meta: z.unknown().optional(), status: z.int(), etag: z.string().optional() })

// The primary key decides who is first; a key that expired is free again.
const claim = statement(
  'idempotency-claim',
  `INSERT INTO idempotency_keys AS i (key, request_hash, expires_at) VALUES ($1, $2, now() + interval '24 hours')
   ON CONFLICT (key) DO UPDATE SET request_hash = excluded.request_hash, answer = NULL, expires_at = excluded.expires_at WHERE i.expires_at < now() RETURNING key`,
)
const look = statement('idempotency-look', 'SELECT request_hash, answer FROM idempotency_keys WHERE key = $1')
const keep = statement('idempotency-keep', 'UPDATE idempotency_keys SET answer = $2 WHERE key = $1')
const release = statement('idempotency-release', 'DELETE FROM idempotency_keys WHERE key = $1 AND answer IS NULL')

/** Makes it. A refused request is not kept, so it may be sent again; one whose process died stays `busy`, for it may have acted. */
export const createOnce =
  ({ database, secrets }: { database: Database; secrets: Secrets }): Once =>
  async ({ ctx, actor, key, run }) => {
    if (!wellFormed.test(key)) throw new Problem('validation_failed', { fields: [{ path: 'Idempotency-Key', message: 'must be 1 to 255 visible characters' }] })
    const id = hashOf('idempotency', [actor.kind, actor.id ?? '', key].join('\0'))
    const request = JSON.stringify([ctx.method, ctx.path, ctx.querystring, ctx.state.bodyDigest ?? ctx.request.body ?? null, reachOf(actor)])
    const context = id.toString('base64url')
    if ((await asideOfDeadline(() => database.run(claim, [id, secrets.digest('idempotency', request)]))).length === 0)
      return again({ ctx, database, id, requestHashes: secrets.digests('idempotency', request), open: told => opened(secrets, told, context) })
    let told: Told
    try {
      told = await run()
    } catch (error) {
      await asideOfDeadline(() => database.run(release, [id]))
      throw error
    }
    await asideOfDeadline(() => database.run(keep, [id, secrets.seal('idempotency', JSON.stringify(told), context)]))
    return told
  }

// What bounds a caller's credential; who signs in again may do as much as before.
const reachOf = ({ agentId, organizationId, hasTwoFactors = false, tokenScopes }: Actor) => [
  agentId ?? null,
  organizationId ?? null,
  hasTwoFactors,
  tokenScopes ? [...tokenScopes].sort() : null,
]

/** Forgets the keys that expired. */
export const purgeIdempotencyKeys = createPurge({ table: 'idempotency_keys', key: 'key', due: 'expires_at < now()' })

interface Repeated {
  readonly ctx: Context
  readonly database: Database
  readonly id: Buffer
  /** What the same request may be kept as. */
  readonly requestHashes: readonly Buffer[]
  readonly open: (answer: string) => Told
}

const again = async ({ ctx, database, id, requestHashes, open }: Repeated): Promise<Told> => {
  for (let waited = 0; waited <= waitMilliseconds; waited += lookMilliseconds) {
    const [row] = await database.run<{ request_hash: Buffer; answer: string | null }>(look, [id])
    if (!row) break
    if (!isOneOf(requestHashes, row.request_hash)) throw new Problem('idempotency_key_reused')
    if (row.answer !== null) {
      ctx.set('Idempotency-Replayed', 'true')
      return open(row.answer)
    }
    await sleep(lookMilliseconds)
  }
  throw new Problem('idempotency_key_busy', { retryAfterSeconds: 1 })
}

const opened = (secrets: Secrets, answer: string, context: string): Told => kept.parse(JSON.parse(secrets.unseal('idempotency', answer, context)))

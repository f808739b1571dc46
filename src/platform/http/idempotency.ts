// Requests with an `Idempotency-Key` act once: the first inserts the key, the others are told its answer.
//
// A request may hold a password, so its digest is keyed: whoever has the table alone guesses nothing from it. Who may do less than the first
// is not told the answer, which may hold a secret that they could not have asked for: to them the key is used for another request.
//
// Whether a request has acted is written by its change, in the transaction of it: where the answer of a COMMIT was lost, nobody else knows.
// A key whose request did not act is free again, at once where that is told and after a minute where its process is gone. What expires
// fences: of two that hold a key one after the other, the older's change is rolled back.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from 'koa'
import { z } from 'zod'
import type { Actor } from '../actor.ts'
import { currentContext, runFor } from '../context.ts'
import { type Database, statement, type TransactionClient } from '../data/database.ts'
import { createPurge } from '../data/purge.ts'
import { asideOfDeadline } from '../deadline.ts'
import { Problem } from '../errors.ts'
import { hashOf, isEqualSecret, type Secrets } from '../secrets.ts'
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
  `INSERT INTO idempotency_keys AS i (key, request_hash, claimed_at, expires_at) VALUES ($1, $2, now(), now() + interval '24 hours')
   ON CONFLICT (key) DO UPDATE SET request_hash = excluded.request_hash, answer = NULL, acted_at = NULL, claimed_at = now(), expires_at = excluded.expires_at
   WHERE i.expires_at < now() OR (i.answer IS NULL AND i.acted_at IS NULL AND i.claimed_at < now() - interval '1 minute')
   RETURNING expires_at`,
)
const look = statement('idempotency-look', 'SELECT request_hash, answer FROM idempotency_keys WHERE key = $1')
const keep = statement('idempotency-keep', 'UPDATE idempotency_keys SET answer = $3 WHERE key = $1 AND expires_at = $2')
const release = statement('idempotency-release', 'DELETE FROM idempotency_keys WHERE key = $1 AND expires_at = $2 AND answer IS NULL')
const releaseUnacted = statement(
  'idempotency-release-unacted',
  'DELETE FROM idempotency_keys WHERE key = $1 AND expires_at = $2 AND answer IS NULL AND acted_at IS NULL',
)

/** Makes it. A refused request is not kept, so it may be sent again; so may one that failed without having acted; else it stays `busy`. */
export const createOnce =
  ({ database, secrets }: { database: Database; secrets: Secrets }): Once =>
  async ({ ctx, actor, key, run }) => {
    if (!wellFormed.test(key)) throw new Problem('validation_failed', { fields: [{ path: 'Idempotency-Key', message: 'must be 1 to 255 visible characters' }] })
    const id = hashOf('idempotency', [actor.kind, actor.id ?? '', key].join('\0'))
    const request = JSON.stringify([ctx.method, ctx.path, ctx.querystring, ctx.state.bodyDigest ?? ctx.request.body ?? null, reachOf(actor)])
    const requestHash = secrets.digest('idempotency-request', request)
    const context = id.toString('base64url')
    const [claimed] = await asideOfDeadline(() => database.run<{ expires_at: Date }>(claim, [id, requestHash]))
    if (!claimed) return again({ ctx, database, id, requestHash, open: told => opened(secrets, told, context) })
    let told: Told
    try {
      told = await runFor({ ...currentContext(), beforeCommit: noting(id, claimed.expires_at) }, run)
    } catch (error) {
      const isRefusal = error instanceof Problem
      await asideOfDeadline(() => database.run(isRefusal ? release : releaseUnacted, [id, claimed.expires_at]))
      throw error
    }
    await asideOfDeadline(() => database.run(keep, [id, claimed.expires_at, secrets.seal('idempotency', JSON.stringify(told), context)]))
    return told
  }

const noting = (key: Buffer, expiresAt: Date) => async (tx: TransactionClient) => {
  const count = await tx.$executeRaw`UPDATE idempotency_keys SET acted_at = now() WHERE key = ${key} AND expires_at = ${expiresAt}`
  if (count === 0) throw new Problem('idempotency_key_busy', { retryAfterSeconds: 1 })
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
  readonly requestHash: Buffer
  readonly open: (answer: string) => Told
}

const again = async ({ ctx, database, id, requestHash, open }: Repeated): Promise<Told> => {
  for (let waited = 0; waited <= waitMilliseconds; waited += lookMilliseconds) {
    const [row] = await database.run<{ request_hash: Buffer; answer: string | null }>(look, [id])
    if (!row) break
    if (!isEqualSecret(row.request_hash, requestHash)) throw new Problem('idempotency_key_reused')
    if (row.answer !== null) {
      ctx.set('Idempotency-Replayed', 'true')
      return open(row.answer)
    }
    await sleep(lookMilliseconds)
  }
  throw new Problem('idempotency_key_busy', { retryAfterSeconds: 1 })
}

const opened = (secrets: Secrets, answer: string, context: string): Told => kept.parse(JSON.parse(secrets.unseal('idempotency', answer, context)))

// The durable queue: jobs are rows of the change that asks for them, claimed by whoever is free. A library was weighed: pg-boss brings a
// schema and migrations of its own, and graphile-worker does not run on the embedded database; this is a handful of statements.
import { EventEmitter } from 'node:events'
import { currentContext, runFor } from '../context.ts'
import { type Database, statement, type TransactionClient } from '../data/database.ts'
import { createPurge } from '../data/purge.ts'
import type { Secrets } from '../secrets.ts'
import type { JobKind } from './job.ts'

/** A job that was claimed and is to be done. */
export interface Claimed {
  readonly id: string
  readonly kind: string
  /** Sealed; {@link Queue.open} tells what it says. */
  readonly payload: string
  /** The how-manieth try this is, from 1. */
  readonly attempt: number
  /** The request that asked for it, and its span where it was traced. */
  readonly requestId?: string | undefined
  readonly traceparent?: string | undefined
}

/** The queue. */
export interface Queue {
  /** Asks for a job in the transaction of a change: it exists if that commits. */
  add<Payload>(tx: TransactionClient, job: { kind: JobKind<Payload>; payload: Payload; runAt?: Date }): Promise<void>
  /** Asks for several of one kind. */
  addAll<Payload>(tx: TransactionClient, jobs: { kind: JobKind<Payload>; payloads: readonly Payload[]; runAt?: Date }): Promise<void>
  /** Takes up to `limit` jobs that are due; nobody else gets them for half a minute. */
  claim(kinds: readonly string[], limit: number): Promise<readonly Claimed[]>
  /** What a claimed job asks for. Throws when it was sealed under another key. */
  open(job: Claimed): unknown
  /** Forgets a job that was done. */
  finish(job: Claimed): Promise<void>
  /** Puts a job back for later, or gives it up where `seconds` is absent. */
  postpone(job: Claimed, why: { readonly reason: string; readonly seconds?: number }): Promise<void>
  /** Gives a claimed job up to whoever is free: this process is about to end. */
  handBack(job: Claimed): Promise<void>
  /** Calls back soon after a job of these kinds was asked for in this process. */
  onAdded(kinds: readonly string[], listener: () => void): () => void
}

const leaseSeconds = 30
// The change that asked commits in the meantime; if not, the next look finds the job.
const commitMilliseconds = 20
const maxReason = 500

const claim = statement(
  'jobs-claim',
  // Materialized: a plan that ran the search once for each row would take more than the limit.
  `WITH due AS MATERIALIZED (
     SELECT id FROM jobs WHERE dead_at IS NULL AND run_at <= now() AND (locked_until IS NULL OR locked_until < now()) AND kind = ANY($1)
     ORDER BY run_at LIMIT $2 FOR UPDATE SKIP LOCKED
   )
   UPDATE jobs SET attempts = attempts + 1, locked_until = now() + make_interval(secs => $3) FROM due WHERE jobs.id = due.id
   RETURNING jobs.id, kind, payload, attempts, request_id AS "requestId", traceparent`,
)
// The attempt is the fence: who came too late no longer speaks for the job.
const finish = statement('jobs-finish', 'DELETE FROM jobs WHERE id = $1 AND attempts = $2')
const handBack = statement('jobs-hand-back', 'UPDATE jobs SET locked_until = NULL WHERE id = $1 AND attempts = $2')
const postpone = statement(
  'jobs-postpone',
  `UPDATE jobs SET locked_until = NULL, last_error = $3, run_at = now() + make_interval(secs => coalesce($4::double precision, 0)),
     dead_at = CASE WHEN $4::double precision IS NULL THEN now() END
   WHERE id = $1 AND attempts = $2`,
)

interface ClaimedRow {
  readonly id: string
  readonly kind: string
  readonly payload: string
  readonly attempts: number
  readonly requestId: string | null
  readonly traceparent: string | null
}

/** Forgets what was given up a month ago. */
export const purgeJobs = createPurge({ table: 'jobs', due: "dead_at < now() - interval '30 days'" })

/** Makes it. */
export const createQueue = ({ database, secrets, newId }: { database: Database; secrets: Secrets; newId: () => string }): Queue => {
  const added = new EventEmitter()
  const addAll: Queue['addAll'] = async (tx, { kind, payloads, runAt }) => {
    if (payloads.length === 0) return
    const context = currentContext()
    const asker = { requestId: context?.requestId, traceparent: context?.span?.traceparent }
    const data = payloads.map(payload => {
      const id = newId()
      return { id, kind: kind.name, payload: secrets.seal('job', JSON.stringify(kind.schema.parse(payload)), `${kind.name}:${id}`), runAt, ...asker }
    })
    await tx.job.createMany({ data })
    // Whoever looks for jobs does so for nobody: it does those of others too.
    runFor(undefined, () => setTimeout(() => added.emit(kind.name), commitMilliseconds).unref())
  }
  return {
    add: (tx, { kind, payload, runAt }) => addAll(tx, { kind, payloads: [payload], runAt }),
    addAll,
    claim: async (kinds, limit) => {
      const rows = await database.run<ClaimedRow>(claim, [kinds, limit, leaseSeconds])
      return rows.map(({ attempts, requestId, traceparent, ...job }) => ({
        ...job,
        attempt: attempts,
        requestId: requestId ?? undefined,
        traceparent: traceparent ?? undefined,
      }))
    },
    open: ({ id, kind, payload }) => JSON.parse(secrets.unseal('job', payload, `${kind}:${id}`)),
    finish: async ({ id, attempt }) => {
      await database.run(finish, [id, attempt])
    },
    postpone: async ({ id, attempt }, { reason, seconds }) => {
      await database.run(postpone, [id, attempt, reason.slice(0, maxReason), seconds ?? null])
    },
    handBack: async ({ id, attempt }) => {
      await database.run(handBack, [id, attempt])
    },
    onAdded: (kinds, listener) => {
      for (const kind of kinds) added.on(kind, listener)
      return () => {
        for (const kind of kinds) added.off(kind, listener)
      }
    },
  }
}

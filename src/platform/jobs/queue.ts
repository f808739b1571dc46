// The durable queue: jobs are rows of the change that asks for them, claimed by whoever is free. A library was weighed: pg-boss brings a
// schema and migrations of its own, and graphile-worker does not run on the embedded database; this is four statements.
import { EventEmitter } from 'node:events'
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
  /** Calls back soon after a job was asked for in this process. */
  onAdded(listener: () => void): () => void
}

const leaseSeconds = 30
// The change that asked commits in the meantime; if not, the next look finds the job.
const commitMilliseconds = 20
const maxReason = 500

const claim = statement(
  'jobs-claim',
  `UPDATE jobs SET attempts = attempts + 1, locked_until = now() + make_interval(secs => $3) WHERE id IN (
     SELECT id FROM jobs WHERE dead_at IS NULL AND run_at <= now() AND (locked_until IS NULL OR locked_until < now()) AND kind = ANY($1)
     ORDER BY run_at LIMIT $2 FOR UPDATE SKIP LOCKED
   ) RETURNING id, kind, payload, attempts`,
)
// The attempt is the fence: who came too late no longer speaks for the job.
const finish = statement('jobs-finish', 'DELETE FROM jobs WHERE id = $1 AND attempts = $2')
const postpone = statement(
  'jobs-postpone',
  `UPDATE jobs SET locked_until = NULL, last_error = $3, run_at = now() + make_interval(secs => coalesce($4::double precision, 0)),
     dead_at = CASE WHEN $4::double precision IS NULL THEN now() END
   WHERE id = $1 AND attempts = $2`,
)

/** Forgets what was given up a month ago. */
export const purgeJobs = createPurge({ table: 'jobs', due: "dead_at < now() - interval '30 days'" })

/** Makes it. */
export const createQueue = ({ database, secrets, newId }: { database: Database; secrets: Secrets; newId: () => string }): Queue => {
  const added = new EventEmitter()
  const addAll: Queue['addAll'] = async (tx, { kind, payloads, runAt }) => {
    if (payloads.length === 0) return
    const data = payloads.map(payload => {
      const id = newId()
      return { id, kind: kind.name, payload: secrets.seal('job', JSON.stringify(kind.schema.parse(payload)), `${kind.name}:${id}`), runAt }
    })
    await tx.job.createMany({ data })
    setTimeout(() => added.emit('added'), commitMilliseconds).unref()
  }
  return {
    add: (tx, { kind, payload, runAt }) => addAll(tx, { kind, payloads: [payload], runAt }),
    addAll,
    claim: async (kinds, limit) => {
      const rows = await database.run<{ id: string; kind: string; payload: string; attempts: number }>(claim, [kinds, limit, leaseSeconds])
      return rows.map(({ attempts, ...job }) => ({ ...job, attempt: attempts }))
    },
    open: ({ id, kind, payload }) => JSON.parse(secrets.unseal('job', payload, `${kind}:${id}`)),
    finish: async ({ id, attempt }) => {
      await database.run(finish, [id, attempt])
    },
    postpone: async ({ id, attempt }, { reason, seconds }) => {
      await database.run(postpone, [id, attempt, reason.slice(0, maxReason), seconds ?? null])
    },
    onAdded: listener => {
      added.on('added', listener)
      return () => added.off('added', listener)
    },
  }
}

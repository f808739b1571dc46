// What it takes to tell a client that a session ended: a job, asked for by the change that ends it.
import { z } from 'zod'
import type { TransactionClient } from '../platform/data/database.ts'
import type { JobKind } from '../platform/jobs/job.ts'
import type { Queue } from '../platform/jobs/queue.ts'

const payload = z.object({ clientId: z.string(), userId: z.string(), sid: z.string() })

/** One client is told of one session. Sixteen tries, later each time, are about seven hours. */
export const logoutKind: JobKind<z.infer<typeof payload>> = { name: 'logout.send', schema: payload, maxAttempts: 16 }

/** A client that is to be told, as {@link toldOf} finds it. */
export interface Told {
  readonly client_id: string
  readonly account_id: string
  readonly sid: string
}

/**
 * SQL that finds who is to be told of ended sessions: `ended` is what ended, with `account_id` and its `authorizations` as they were.
 * Rows of one session may name a client twice; it is told once for each `sid` that it was given.
 */
export const toldOf = (ended: string): string => `
  SELECT DISTINCT entry.key AS client_id, gone.account_id, entry.value ->> 'sid' AS sid
  FROM (${ended}) gone, jsonb_each(gone.authorizations) entry
  JOIN clients c ON c.client_id = entry.key AND c.deleted_at IS NULL AND c.disabled_at IS NULL AND c.metadata ->> 'backchannel_logout_uri' IS NOT NULL
  WHERE gone.account_id IS NOT NULL AND entry.value ->> 'sid' IS NOT NULL`

/** Asks for the jobs in the transaction that ended the sessions. */
export const askForLogouts = (queue: Queue, tx: TransactionClient, told: readonly Told[]): Promise<void> =>
  queue.addAll(tx, { kind: logoutKind, payloads: told.map(({ client_id: clientId, account_id: userId, sid }) => ({ clientId, userId, sid })) })

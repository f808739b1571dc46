// The one verb for a change: a transaction that commits only together with the events that tell of it.
import { z } from 'zod'
import type { Actor } from '../actor.ts'
import { Problem, type ProblemCode } from '../errors.ts'
import { type Database, type TransactionClient, uniqueViolation } from './database.ts'

/** What an event's target may show: everything else is stripped before it is written. */
export interface EventKind {
  readonly target: string
  readonly schema: z.ZodObject
}

/** The events of a slice by name, such as `user.created`. */
export type EventKinds = Readonly<Record<string, EventKind>>

interface RecordOptions {
  readonly outcome?: 'kept' | 'refused'
  readonly organizationId?: string
}

/** Notes an event for the change's commit. `target` is stripped by the event's schema. */
export type RecordEvent = (name: string, target: { readonly id?: string; readonly [field: string]: unknown }, options?: RecordOptions) => void

/** Runs `work` in a transaction and commits it with the events it recorded; a change that records nothing is a bug and is rolled back. */
export type Change = <Result>(actor: Actor, work: (tx: TransactionClient, record: RecordEvent) => Promise<Result>) => Promise<Result>

const constraintProblems: Readonly<Record<string, ProblemCode>> = {
  users_email_normalized_key: 'email_taken',
  organizations_slug_key: 'slug_taken',
  clients_client_id_key: 'client_id_taken',
  authenticators_credential_id_key: 'passkey_taken',
}

/** Describes an event: what kind of thing it is about and which of its fields may be written. */
export const event = (target: string, shape: z.ZodRawShape): EventKind => ({ target, schema: z.object({ id: z.string().optional(), ...shape }) })

/** Makes the verb over a database and the events of all slices. Unique violations become Problems. */
export const createChange =
  ({ database, events }: { database: Database; events: EventKinds }): Change =>
  async (actor, work) => {
    try {
      return await database.prisma.$transaction(async tx => {
        const rows: ReturnType<typeof toRow>[] = []
        const result = await work(tx, (name, target, options) => rows.push(toRow(actor, { name, kind: kindOf(events, name), target, options })))
        if (rows.length === 0) throw new Error('a change recorded no event')
        await tx.auditEvent.createMany({ data: rows })
        return result
      })
    } catch (error) {
      const constraint = uniqueViolation(error)
      if (constraint === undefined) throw error
      throw new Problem(constraintProblems[constraint] ?? 'conflict', { cause: error })
    }
  }

const kindOf = (events: EventKinds, name: string): EventKind => {
  const kind = events[name]
  if (!kind) throw new Error(`unknown event: ${name}`)
  return kind
}

interface Recorded {
  readonly name: string
  readonly kind: EventKind
  readonly target: { readonly id?: string; readonly [field: string]: unknown }
  readonly options?: RecordOptions
}

const toRow = (actor: Actor, { name, kind, target, options }: Recorded) => ({
  action: name,
  outcome: options?.outcome ?? 'kept',
  actorKind: actor.kind,
  actorId: actor.id,
  targetKind: kind.target,
  targetId: target.id,
  target: z.record(z.string(), z.json()).parse(JSON.parse(JSON.stringify(kind.schema.parse(target)))),
  organizationId: options?.organizationId ?? actor.organizationId,
  requestId: actor.requestId,
  ip: actor.ip,
  userAgent: actor.userAgent,
})

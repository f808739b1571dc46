// The one verb for a change: a transaction that commits only together with the events that tell of it.
import { z } from 'zod'
import type { Actor } from '../actor.ts'
import { currentContext, holdAuthority } from '../context.ts'
import { Problem, type ProblemCode } from '../errors.ts'
import type { Secrets } from '../secrets.ts'
import { isObject } from '../values.ts'
import type { ChangedTarget, ChangeFeed } from './change-feed.ts'
import { type Database, type TransactionClient, uniqueViolation } from './database.ts'
import { createAppendEvents, type NewEvent } from './event-append.ts'

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
  /** The person who did it, where the change itself makes or finds out who they are. */
  readonly byUserId?: string
}

/** Notes an event for the change's commit. `target` is stripped by the event's schema. */
export type RecordEvent = (name: string, target: { readonly id?: string; readonly [field: string]: unknown }, options?: RecordOptions) => void

/** Runs `work` in a transaction and commits it with the events it recorded; a change that records nothing is a bug and is rolled back. */
export type Change = <Result>(actor: Actor, work: (tx: TransactionClient, record: RecordEvent) => Promise<Result>) => Promise<Result>

const constraintProblems: Readonly<Record<string, ProblemCode>> = {
  users_email_normalized_key: 'email_taken',
  organizations_slug_key: 'slug_taken',
  clients_client_id_key: 'client_id_taken',
  resource_servers_identifier_key: 'resource_server_taken',
  authorization_details_types_pkey: 'details_type_taken',
  authenticators_credential_id_key: 'passkey_taken',
  organization_roles_organization_id_name_key: 'role_name_taken',
  organization_domains_organization_id_domain_key: 'domain_taken',
  organization_domains_proven_key: 'domain_taken',
}

/** Describes an event: what kind of thing it is about and which of its fields may be written. */
export const event = (target: string, shape: z.ZodRawShape): EventKind => ({ target, schema: z.object({ id: z.string().optional(), ...shape }) })

interface Needs {
  readonly database: Database
  readonly events: EventKinds
  readonly secrets: Secrets
  readonly now: () => Date
  readonly newUuid: () => string
  /** A statement that is run with each insertion of events (event-append.ts). */
  readonly outbox?: string
  /** Tells caches, here and in other processes. */
  readonly feed: Pick<ChangeFeed, 'write' | 'tell'>
  /** Told of each event of a change that was committed. */
  readonly onCommitted?: ((event: CommittedEvent) => void) | undefined
}

/** What is told of an event that was committed; its target stripped. */
export type CommittedEvent = Pick<NewEvent, 'action' | 'outcome' | 'target'>

/** Makes the verb over a database and the events of all slices. Unique violations become Problems. */
export const createChange = ({ database, events, feed, onCommitted, ...needs }: Needs): Change => {
  const append = createAppendEvents(needs)
  return async (actor, work) => {
    try {
      const { result, changed, committed } = await database.transact(async tx => {
        const recorded: NewEvent[] = []
        const result = await work(tx, (name, target, options) => recorded.push(toEvent(actor, { name, kind: kindOf(events, name), target, options })))
        if (recorded.length === 0) throw new Error('a change recorded no event')
        const changed = recorded.map(toChanged)
        await holdAuthority(tx, organizationsOf(recorded))
        await currentContext()?.beforeCommit?.(tx)
        await feed.write(tx, changed)
        await append(tx, recorded)
        return { result, changed, committed: recorded }
      })
      feed.tell(changed)
      if (onCommitted) for (const one of committed) onCommitted(one)
      return result
    } catch (error) {
      const constraint = uniqueViolation(error)
      if (constraint === undefined) throw error
      throw new Problem(constraintProblems[constraint] ?? 'conflict', { cause: error })
    }
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

// What is hashed must be what is read back: ids in small letters, and text that the database takes as it is.
const toEvent = (actor: Actor, { name, kind, target, options }: Recorded): NewEvent => ({
  action: name,
  outcome: options?.outcome ?? 'kept',
  actor_kind: options?.byUserId === undefined ? actor.kind : 'user',
  actor_id: text(options?.byUserId ?? actor.id),
  target_kind: kind.target,
  target_id: text(target.id),
  target: plain({ ...kind.schema.parse(target), ...(actor.agentId === undefined ? {} : { via_agent: actor.agentId }) }),
  organization_id: (options?.organizationId ?? actor.organizationId)?.toLowerCase() ?? null,
  request_id: text(actor.requestId),
  ip: text(actor.ip),
  user_agent: text(actor.userAgent),
})

const organizationsOf = (events: readonly NewEvent[]) => [...new Set(events.flatMap(({ organization_id: id }) => (id === null ? [] : [id])))]

const plain = (target: object) => JSON.parse(JSON.stringify(target, (_key, value) => (typeof value === 'string' ? text(value) : value)))

const toChanged = ({ target_kind: kind, target_id: id, target }: NewEvent): ChangedTarget => ({ kind, target: { ...(isObject(target) ? target : {}), id } })

const text = (value: string | undefined): string | null => value?.toWellFormed().replaceAll('\0', '\ufffd') ?? null

// Backchannel authentication requests as they are kept: asked, listed for their person, answered once.
import { z } from 'zod'
import { toSource } from '../clients/client.ts'
import { cibaGrantType } from '../clients/grant-types.ts'
import { areMembersAlone, isForMember, isLivingClient, sourceIn } from '../clients/living.ts'
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import { type Database, statement, type TransactionClient } from '../platform/data/database.ts'
import { createPurge } from '../platform/data/purge.ts'
import { Problem } from '../platform/errors.ts'
import type { Queue } from '../platform/jobs/queue.ts'
import { hashOf, type Secrets } from '../platform/secrets.ts'
import { type Asked, askedSchema, askerOf, type BackchannelAnswer, type BackchannelRequest, tellPerson, waitingPlaces } from './backchannel-request.ts'

/** A request as it is asked. */
export interface NewBackchannelRequest {
  readonly authReqId: string
  readonly accountId: string
  /** Whether that is somebody; nobody is told of a request that is for nobody. */
  readonly isKnown: boolean
  readonly clientId: string
  /** The client's. */
  readonly organizationId?: string | undefined
  readonly asked: Asked
  /** What a notification of the client bears (ping). */
  readonly notificationToken?: string
  readonly ip?: string
  readonly expiresInSeconds: number
}

/** The requests. */
export interface BackchannelRequests {
  /** Keeps a request and asks for the mail that tells of it. Throws `too_many_attempts` where as many of this asker wait for the person as may. */
  ask(actor: Actor, request: NewBackchannelRequest): Promise<void>
  /** What waits for a person: of the operator's own clients first, then by turns of those who ask, of each the oldest first. */
  list(accountId: string): Promise<readonly BackchannelRequest[]>
  countWaiting(accountId: string): Promise<number>
  /** What came of a request; `undefined` where there is none. */
  findAnswer(authReqId: string): Promise<BackchannelAnswer | undefined>
}

interface Row {
  readonly id: string
  readonly clientId: string
  readonly clientName: string
  readonly clientSource: string
  readonly organizationName: string | null
  readonly ip: string | null
  readonly asked: unknown
  readonly createdAt: Date
  readonly expiresAt: Date
}

/** The condition that a request waits for somebody, of a client that lives, may ask and is open to them. `r` and `c` are their rows. */
export const isWaiting = `r.decision IS NULL AND r.expires_at > now() AND ${isLivingClient('c')}
  AND '${cibaGrantType}' = ANY (c.grant_types) AND ${isForMember('c', 'r.account_id')}`

const waiting = `r.account_id = $1::uuid AND ${isWaiting}`

const statements = {
  list: statement(
    'backchannel-list',
    `SELECT r.id, r.client_id AS "clientId", c.name AS "clientName", ${sourceIn('c')} AS "clientSource", o.name AS "organizationName", r.ip, r.asked, r.created_at AS "createdAt", r.expires_at AS "expiresAt"
     FROM backchannel_requests r JOIN clients c ON c.client_id = r.client_id LEFT JOIN organizations o ON o.id = c.organization_id
     WHERE ${waiting}
     ORDER BY c.organization_id IS NOT NULL, row_number() OVER (PARTITION BY c.organization_id, CASE WHEN c.organization_id IS NULL THEN c.client_id END ORDER BY r.created_at), r.created_at`,
  ),
  count: statement(
    'backchannel-count',
    `SELECT count(*)::int AS count FROM backchannel_requests r JOIN clients c ON c.client_id = r.client_id WHERE ${waiting}`,
  ),
  answer: statement('backchannel-answer', `SELECT decision, grant_id AS "grantId", acr, amr, auth_time AS "authTime" FROM backchannel_requests WHERE key = $1`),
}

/** Forgets requests an hour after they expired; until then a client that asks late is told so. */
export const purgeBackchannelRequests = createPurge({ table: 'backchannel_requests', due: "expires_at < now() - interval '1 hour'" })

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly queue: Queue
  readonly secrets: Secrets
  readonly newUuid: () => string
  /** Without a way to send mail nothing is kept for it. */
  readonly isMailPossible: boolean
}

/** Makes the service. */
export const createBackchannelRequests = ({ database, change, queue, secrets, newUuid, isMailPossible }: Needs): BackchannelRequests => ({
  ask: async (actor, request) => {
    const { authReqId, accountId, isKnown, clientId, asked, notificationToken } = request
    const id = newUuid()
    const sealed = notificationToken === undefined ? null : secrets.seal('artifact', JSON.stringify({ authReqId, notificationToken }), sealContext(id))
    await change(actor, async (tx, record) => {
      await tx.$executeRaw`UPDATE backchannel_requests SET slot = NULL WHERE account_id = ${accountId}::uuid AND slot IS NOT NULL AND expires_at <= now()`
      if (!(await insert(tx, { ...request, id, sealed }))) throw new Problem('too_many_attempts', { retryAfterSeconds: 60 })
      // Also for nobody: what is done for somebody must take no longer.
      if (isMailPossible) await queue.add(tx, { kind: tellPerson, payload: { id } })
      record('backchannel.asked', { id, client_id: clientId, scopes: scopesOf(asked), user_id: isKnown ? accountId : undefined })
    })
  },
  list: async accountId => (await database.run<Row>(statements.list, [accountId])).map(toRequest),
  countWaiting: async accountId => (await database.run<{ count: number }>(statements.count, [accountId]))[0]?.count ?? 0,
  findAnswer: async authReqId => {
    const [row] = await database.run(statements.answer, [keyOf(authReqId)])
    return row === undefined ? undefined : toAnswer(row)
  },
})

/** The key of a request: that of its artifact. */
export const keyOf = (authReqId: string): Buffer => hashOf('BackchannelAuthenticationRequest', authReqId)

/** What ties the sealed part of a request to its row. */
export const sealContext = (id: string): string => `backchannel-request:${id}`

/** All scopes that are asked for, of whatever resource. */
export const scopesOf = ({ scopes, resources }: Asked): string[] => [...new Set([...scopes, ...Object.values(resources).flat()])]

/**
 * Ends what waits for a person whose access ends, and what their agents asked of others: nothing of it is approved any more, and its clients
 * are told `access_denied`.
 */
export const endBackchannelRequestsOfUser = (tx: TransactionClient, userId: string): Promise<void> =>
  end(tx, `r.account_id = $1::uuid OR r.client_id IN (SELECT c.client_id FROM clients c WHERE c.owner_user_id = $1::uuid)`, [userId])

/** Ends what waits for a member who leaves, of clients that the members alone may use, and what their agents there asked of others. */
export const endBackchannelRequestsOfMember = (tx: TransactionClient, { organizationId, userId }: OfMember): Promise<void> => {
  const isEnded = `(r.account_id = $2::uuid AND (${areMembersAlone('c')})) OR c.owner_user_id = $2::uuid`
  return end(tx, `r.client_id IN (SELECT c.client_id FROM clients c WHERE c.organization_id = $1::uuid AND (${isEnded}))`, [organizationId, userId])
}

/** Ends what a client asked that is disabled or deleted: it does not come back with the client. */
export const endBackchannelRequestsOfClient = (tx: TransactionClient, clientId: string): Promise<void> => end(tx, 'r.client_id = $1', [clientId])

interface OfMember {
  readonly organizationId: string
  readonly userId: string
}

// In one order everywhere, so that two endings never wait for each other's rows.
const end = async (tx: TransactionClient, isEnded: string, values: readonly string[]): Promise<void> => {
  await tx.$executeRawUnsafe(
    `WITH held AS (SELECT r.id FROM backchannel_requests r WHERE r.decision IS NULL AND (${isEnded}) ORDER BY r.id FOR UPDATE)
     UPDATE backchannel_requests a SET decision = 'ended', decided_at = now(), slot = NULL FROM held WHERE a.id = held.id AND a.decision IS NULL`,
    ...values,
  )
}

// Each asker has places of their own among the numbers of a person, so that nobody fills those of others.
const firstPlaceOf = (asker: string): number => (hashOf('backchannel-asker', asker).readUInt32BE() >>> 4) * 8 + 1

// The unique index decides: whoever loses a place to another looks for the next. The engine counts whole seconds: nobody is to approve what it
// calls expired.
const insert = async (tx: TransactionClient, request: NewBackchannelRequest & { readonly id: string; readonly sealed: string | null }): Promise<boolean> => {
  const { id, authReqId, accountId, clientId, asked, sealed, ip = null, expiresInSeconds } = request
  const firstPlace = firstPlaceOf(askerOf(request))
  const key = new Uint8Array(keyOf(authReqId))
  for (let attempt = 0; attempt < waitingPlaces; attempt += 1) {
    const made = await tx.$queryRaw<{ id: string }[]>`
      INSERT INTO backchannel_requests (id, key, account_id, client_id, slot, asked, sealed, ip, expires_at, amr)
      SELECT ${id}::uuid, ${key}, ${accountId}::uuid, ${clientId}, free.slot, ${JSON.stringify(asked)}::json, ${sealed}, ${ip},
        date_trunc('second', now()) + make_interval(secs => ${expiresInSeconds}::float8), '{}'
      FROM generate_series(${firstPlace}::int, ${firstPlace + waitingPlaces - 1}::int) AS free(slot)
      WHERE NOT EXISTS (SELECT 1 FROM backchannel_requests r WHERE r.account_id = ${accountId}::uuid AND r.slot = free.slot)
      ORDER BY free.slot LIMIT 1
      ON CONFLICT (account_id, slot) DO NOTHING RETURNING id`
    if (made.length > 0) return true
  }
  return false
}

const toRequest = ({ asked, ip, organizationName, clientSource, ...row }: Row): BackchannelRequest => ({
  ...row,
  clientSource: toSource(clientSource),
  asked: askedSchema.parse(asked),
  ip: ip ?? undefined,
  organizationName: organizationName ?? undefined,
})

const answerRow = z.union([
  z.object({ decision: z.literal('approved'), grantId: z.string(), acr: z.string(), amr: z.array(z.string()), authTime: z.int() }),
  z.object({ decision: z.enum(['denied', 'ended']) }),
  z.object({ decision: z.null() }).transform(() => ({ decision: 'waiting' as const })),
])

const toAnswer = (row: unknown): BackchannelAnswer => answerRow.parse(row)

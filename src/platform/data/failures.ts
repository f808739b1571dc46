// What the errors of the database and of Redis mean to those who ask: come again later, or this is taken.
import { isObject } from '../values.ts'

interface Failure {
  readonly name?: unknown
  readonly code?: unknown
  readonly message?: unknown
  readonly syscall?: unknown
  readonly constraint?: unknown
  readonly cause?: unknown
  readonly errors?: unknown
  readonly kind?: unknown
  readonly originalCode?: unknown
  readonly meta?: { readonly driverAdapterError?: unknown; readonly target?: unknown }
}

// P1xxx: not reachable, timed out, closed. P2024: no connection free. P2028: no transaction in time. P2037: too many connections. P2034: a deadlock, or no order of transactions.
const prismaCodes = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028', 'P2034', 'P2037'])
const adapterKinds = new Set(['DatabaseNotReachable', 'ConnectionClosed', 'SocketTimeout', 'TooManyConnections'])
const socketCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'ETIMEDOUT', 'EPIPE', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'])
// 08 connection, 53 insufficient resources (disk full, too many connections), 57P0x shutting down; then: cancelled by a timeout, lock timeout, idle transaction ended, read-only,
// a deadlock, no order of transactions.
const sqlState = /^(08...|53...|57P0.|57014|55P03|25P03|25006|40P01|40001)$/
// pg and ioredis give these errors no code.
const uncoded = new Set([
  'timeout exceeded when trying to connect',
  'Connection terminated',
  'Connection terminated unexpectedly',
  'Connection terminated due to connection timeout',
  'Client has encountered a connection error and is not queryable',
  'Client was closed and is not queryable',
  'Cannot use a pool after calling end on the pool',
  'Query read timeout',
  'Connection is closed.',
  'Command timed out',
  'connect ETIMEDOUT',
  "Stream isn't writeable and enableOfflineQueue options is false",
  "Cluster isn't ready and enableOfflineQueue options is false",
])
const redisNames = new Set(['MaxRetriesPerRequestError', 'ClusterAllFailedError', 'AbortError'])
const redisReply = /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|OOM|NOREPLICAS|BUSY) /

/** Is this a failure of the database or of Redis that passes by itself: unreachable, closing, out of time, out of room, read-only? */
export function isUnavailable(error: unknown): boolean {
  return layers(error).some(({ name, code, kind, originalCode, message, syscall }) => {
    if (typeof code === 'string' && (prismaCodes.has(code) || socketCodes.has(code) || sqlState.test(code))) return true
    if (typeof originalCode === 'string' && sqlState.test(originalCode)) return true
    // The socket of an embedded database that is being started again.
    if (code === 'ENOENT' && (syscall === 'connect' || String(message).includes('connect ENOENT'))) return true
    if (adapterKinds.has(String(kind)) || redisNames.has(String(name))) return true
    return typeof message === 'string' && (uncoded.has(message) || (name === 'ReplyError' && redisReply.test(message)))
  })
}

// Of those above, the ones that are of the connection alone.
const connectionState = /^(08...|57P0.)$/
const connectionCodes = new Set(['P1001', 'P1002', 'P1017'])
const connectionKinds = new Set(['DatabaseNotReachable', 'ConnectionClosed'])

/** Is this a failure of the connection to the database or to Redis: where it was met says nothing, for everybody meets it? */
export function isOutOfReach(error: unknown): boolean {
  return layers(error).some(({ name, code, kind, originalCode, message, syscall }) => {
    if (typeof code === 'string' && (connectionCodes.has(code) || socketCodes.has(code) || connectionState.test(code))) return true
    if (typeof originalCode === 'string' && connectionState.test(originalCode)) return true
    if (code === 'ENOENT' && syscall === 'connect') return true
    return connectionKinds.has(String(kind)) || redisNames.has(String(name)) || (typeof message === 'string' && uncoded.has(message))
  })
}

/** Is this about rows that another transaction holds: a wait that ran out, a deadlock, no order of transactions? */
export function isHeldByOther(error: unknown): boolean {
  return layers(error).some(({ code, originalCode }) => [code, originalCode].some(state => state === '55P03' || state === '40P01' || state === '40001'))
}

/** Is this the refusal of a write by a database that can only be read: its disk is nearly full, or it is a standby? */
export function isReadOnly(error: unknown): boolean {
  return layers(error).some(({ code, originalCode }) => code === '25006' || originalCode === '25006')
}

/** The unique constraint or index that refused a row, or its columns joined by commas where the driver tells no name; `undefined` for other errors. */
export function uniqueViolation(error: unknown): string | undefined {
  for (const { code, kind, constraint } of layers(error)) {
    if (code === '23505' && typeof constraint === 'string') return constraint
    if (kind === 'UniqueConstraintViolation') return nameOf(constraint)
  }
  return undefined
}

function nameOf(constraint: unknown): string | undefined {
  if (!isObject(constraint)) return undefined
  if (typeof constraint.index === 'string') return constraint.index
  return Array.isArray(constraint.fields) ? constraint.fields.join(',') : undefined
}

/** The error and what it was made of: causes, the parts of an AggregateError, what Prisma's adapter caught. */
function layers(error: unknown, depth = 0): Failure[] {
  if (!isObject(error) || depth > 5) return []
  const failure: Failure = error
  const parts = [failure.cause, failure.meta?.driverAdapterError, ...(Array.isArray(failure.errors) ? failure.errors : [])]
  return [failure, ...parts.flatMap(part => layers(part, depth + 1))]
}

/** What an error says, or its parts one after the other. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ')
  return error instanceof Error ? error.message : String(error)
}

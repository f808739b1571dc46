// The structured log: one JSON line an entry, never a secret; each line of a request or job has its id, and its trace's where it is traced.
import { type DestinationStream, type Logger, pino } from 'pino'
import { currentContext } from './context.ts'
import { isOutOfReach } from './data/failures.ts'

/** What may be logged to. */
export type Log = Logger

const redacted = ['authorization', 'cookie', 'password', 'client_secret', 'code', 'token', 'access_token', 'refresh_token', 'id_token', 'secret', 'set-cookie']

// So much waits, in characters, for a reader who is slow; what comes then is dropped, for a log is worth nobody's sign-in.
const maxWaiting = 8 * 1024 * 1024

/**
 * Opens the log on standard error, so that standard output stays the start text, unless it is to go elsewhere. When nobody reads it any
 * more it says nothing, and what it is told goes on.
 */
export const openLog = (level: string, destination: DestinationStream = standardError()): Log =>
  pino(
    {
      level,
      base: null,
      mixin: () => {
        const context = currentContext()
        return context ? { request_id: context.requestId, trace_id: context.span?.traceId } : {}
      },
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: (error: Error) => withoutSecrets(pino.stdSerializers.err(error), { isOutOfReach: isOutOfReach(error) }) },
      redact: { paths: redacted.flatMap(name => [`["${name}"]`, `*["${name}"]`]), censor },
    },
    destination,
  )

// The code of an error is no authorization code, and told by its form, for where it stands is not said here: ECONNRESET, ERR_STREAM_DESTROYED, a SQLSTATE, P2002.
const errorCode = /^(?:E[A-Z][A-Z_]*|[0-9A-Z]{5})$/

const censor = (value: unknown, path: readonly string[]): unknown =>
  path.length > 1 && path.at(-1) === 'code' && typeof value === 'string' && errorCode.test(value) ? value : '[redacted]'

const standardError = (): DestinationStream => {
  const destination = pino.destination({ dest: 2, sync: false, maxLength: maxWaiting })
  // pino falls silent by itself where the reader is gone (EPIPE), and throws what else goes wrong, such as a full disk, into the process.
  destination.on('error', () => {})
  return destination
}

const deepest = 6

// What a parser could not read hangs on its error as bytes (`rawPacket`): headers and bodies with all their secrets.
// What the database refuses hangs there with the row's values (`detail`, `where`).
// An outage is told many times, and none of its stacks says more than its message.
const withoutSecrets = (value: unknown, { isOutOfReach, depth = 0 }: { readonly isOutOfReach: boolean; readonly depth?: number }): unknown => {
  if (typeof value !== 'object' || value === null) return value
  if (depth > deepest || ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return undefined
  const inside = { isOutOfReach, depth: depth + 1 }
  if (Array.isArray(value)) return value.map(one => withoutSecrets(one, inside))
  if ('toJSON' in value) return value
  const isLeftOut = (name: string) =>
    name === 'rawPacket' || (isOutOfReach && name === 'stack') || ('severity' in value && (name === 'detail' || name === 'where'))
  return Object.fromEntries(Object.entries(value).flatMap(([name, one]) => (isLeftOut(name) ? [] : [[name, withoutSecrets(one, inside)]])))
}

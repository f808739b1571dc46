// The structured log: one JSON line an entry, never a secret.
import { type DestinationStream, type Logger, pino } from 'pino'

/** What may be logged to. */
export type Log = Logger

const redacted = ['authorization', 'cookie', 'password', 'client_secret', 'code', 'token', 'access_token', 'refresh_token', 'id_token', 'secret', 'set-cookie']

/** Opens the log on standard error, so that standard output stays the start text, unless it is to go elsewhere. */
export const openLog = (level: string, destination: DestinationStream = pino.destination({ dest: 2, sync: false })): Log =>
  pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: (error: Error) => withoutBytes(pino.stdSerializers.err(error)) },
      redact: { paths: redacted.flatMap(name => [`["${name}"]`, `*["${name}"]`]), censor: '[redacted]' },
    },
    destination,
  )

const deepest = 6

// What a parser could not read hangs on its error as bytes (`rawPacket`): headers and bodies with all their secrets.
const withoutBytes = (value: unknown, depth = 0): unknown => {
  if (typeof value !== 'object' || value === null) return value
  if (depth > deepest || ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return undefined
  if (Array.isArray(value)) return value.map(one => withoutBytes(one, depth + 1))
  if ('toJSON' in value) return value
  return Object.fromEntries(Object.entries(value).flatMap(([name, one]) => (name === 'rawPacket' ? [] : [[name, withoutBytes(one, depth + 1)]])))
}

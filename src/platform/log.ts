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
      redact: { paths: redacted.flatMap(name => [`["${name}"]`, `*["${name}"]`]), censor: '[redacted]' },
    },
    destination,
  )

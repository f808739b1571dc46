// What the data layer needs of a log: pino's own shape, so that a pino logger is one.

/** Fields first, then a sentence. */
export interface DataLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** A log that keeps nothing. */
export const silent: DataLog = { info: () => {}, warn: () => {}, error: () => {} }

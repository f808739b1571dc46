// Reads the settings leniently: what the server would refuse is looked at all the same, as far as it can be read.
import type { Environment, Settings } from './facts.ts'

/** Reads them. */
export const settingsOf = (environment: Environment): Settings => {
  const issuer = urlOf(environment.ISSUER || `http://localhost:${environment.PORT || 3000}`)
  const { DATABASE_URL: database, MAIL_FROM: from } = environment
  return {
    isProduction: environment.NODE_ENV === 'production',
    issuer,
    databaseHost: database ? urlOf(database)?.hostname || undefined : undefined,
    redisUrl: environment.REDIS_URL || undefined,
    smtp: urlOf(environment.SMTP_URL ?? ''),
    mailFrom: /<([^<>]*)>/.exec(from ?? '')?.[1] ?? (from || `no-reply@${issuer?.hostname ?? 'localhost'}`),
    hasOwnTls: Boolean(environment.TLS_CERT_FILE),
    dataDir: environment.DATA_DIR || './data',
  }
}

/** Whether a host is this machine. */
export const isLoopback = (host: string): boolean => /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/.test(host) || host.endsWith('.localhost')

/** Reads a list of a setting that is separated by commas. */
export const listOf = (value: string | undefined): string[] => (value ?? '').split(',').flatMap(one => one.trim() || [])

const urlOf = (value: string): URL | undefined => (URL.canParse(value) ? new URL(value) : undefined)

// The environment, read once: the only place that knows the names of the settings.
import { z } from 'zod'
import { ageKeyFault } from './backup/age-keys.ts'
import type { ConfiguredProviders } from './connectors/settings-connections.ts'
import { type KeyConfig, keyConfigOf, keySettings } from './key-settings.ts'
import { type ObservabilityConfig, observabilityConfigOf, observabilitySettings } from './observability-settings.ts'
import { redisUrlFault } from './platform/data/redis-url.ts'
import { isLoopbackHost } from './platform/http/loopback.ts'
import { type ProcessConfig, processConfigOf, processFaults, processSettings } from './process-settings.ts'
import { productionFaults } from './production-faults.ts'
import { providerFaults, providerSettings, providersOf } from './provider-settings.ts'
import { type RegistrationConfig, registrationConfigOf, registrationSettings } from './registration-settings.ts'
import { oneOf, wholeNumber, without } from './setting-schemas.ts'
import { type TlsSettings, tlsFaults, tlsOf, tlsSettings } from './tls-settings.ts'

type Environment = Readonly<Record<string, string | undefined>>

const emptyIsAbsent = (value: unknown) => (value === '' ? undefined : value)
const optional = <Schema extends z.ZodType>(schema: Schema) => z.preprocess(emptyIsAbsent, schema.optional())
const withDefault = <Schema extends z.ZodType<string | number>>(schema: Schema, value: z.output<Schema>) =>
  z.preprocess(given => emptyIsAbsent(given) ?? value, schema)
const flag = oneOf('true', 'false', '1', '0').transform(value => value === 'true' || value === '1')
const origin = (value: string) => /^https?:/.test(value) && URL.canParse(value) && new URL(value).origin === value

const environmentSchema = z.object({
  NODE_ENV: withDefault(oneOf('development', 'test', 'production'), 'development'),
  PORT: withDefault(z.coerce.number('must be a port number, from 0 to 65535').int().min(0).max(65_535), 3000),
  HOST: optional(z.string()),
  ISSUER: optional(z.string().refine(origin, 'must be an origin such as https://id.example.com, without path or trailing slash')),
  DATABASE_URL: optional(z.string().regex(/^postgres(ql)?:\/\/./, 'must start with postgresql://')),
  REDIS_URL: optional(without(redisUrlFault)),
  DATA_DIR: withDefault(z.string(), './data'),
  SECRET_KEY: optional(z.string().min(32, 'must have at least 32 characters')),
  BACKUP_KEY: optional(without(ageKeyFault).min(16, 'must have at least 16 characters')),
  TRUST_PROXY: withDefault(z.coerce.number('must be the number of proxies in front, from 0 to 10').int().min(0).max(10), 0),
  CORS_ORIGINS: withDefault(z.string(), '').pipe(
    z
      .string()
      .transform(list => list.split(',').flatMap(one => one.trim() || []))
      .pipe(z.array(z.string().refine(origin, 'must be origins such as https://app.example.com, separated by commas'))),
  ),
  OUTBOUND_ALLOW: withDefault(z.string(), '').pipe(
    z
      .string()
      .transform(list => list.split(',').flatMap(one => one.trim() || []))
      .pipe(z.array(z.union([z.cidrv4(), z.cidrv6()], 'must be address blocks such as 10.20.0.0/16, separated by commas'))),
  ),
  API_REQUESTS_PER_MINUTE: withDefault(wholeNumber({ of: 'requests', least: 1, most: 1_000_000 }), 600),
  SMTP_URL: optional(
    z.string().refine(url => /^smtps?:\/\/./.test(url) && URL.canParse(url), 'must be an address such as smtp://user:password@mail.example.com:587'),
  ),
  MAIL_FROM: optional(z.string().regex(/^(?:[^<>"@]+ )?<?[^<>\s"@]+@[^<>\s"@]+>?$/, 'must be an address such as Authy2 <no-reply@example.com>')),
  RUN_JOBS: optional(flag),
  PASSWORD_MIN_LENGTH: withDefault(wholeNumber({ of: 'characters', least: 8, most: 64 }), 12),
  SIGN_UP: withDefault(oneOf('open', 'closed'), 'open'),
  SIGN_IN_METHODS: withDefault(z.string(), 'password,email_code').pipe(
    z
      .string()
      .transform(list => list.split(',').flatMap(one => one.trim() || []))
      .pipe(z.array(z.enum(['password', 'email_code'], 'must be password or email_code or both, separated by a comma')).min(1, 'must name at least one way')),
  ),
  ...providerSettings,
  ...registrationSettings,
  ...tlsSettings,
  ...keySettings,
  ...processSettings,
  ...observabilitySettings,
  MFA_REQUIRED: withDefault(oneOf('never', 'admins', 'always'), 'never'),
  LOG_LEVEL: withDefault(oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'), 'info'),
  SEED_DEMO: optional(flag),
})

/** The settings, parsed. `secretKey` is absent only in development, where the server makes and keeps its own. */
export interface Config extends RegistrationConfig, KeyConfig, ObservabilityConfig, ProcessConfig {
  readonly environment: 'development' | 'test' | 'production'
  readonly port: number
  readonly host?: string
  /** The issuer identifier: an origin. */
  readonly issuer: string
  readonly databaseUrl?: string
  readonly redisUrl?: string
  readonly dataDir: string
  readonly secretKey?: string
  /** What backups are closed and opened under; absent: a key derived from `secretKey`. */
  readonly backupKey?: string
  /** How many trusted proxies stand in front; 0 trusts no forwarded header. */
  readonly trustedProxies: number
  /** The origins whose pages may call the management API. */
  readonly corsOrigins: readonly string[]
  /** Blocks of addresses inside that may be fetched from all the same, such as those of a provider in the house. */
  readonly outboundAllowed: readonly string[]
  /** What one caller of the management API may ask in a minute. */
  readonly apiRequestsPerMinute: number
  /** Of whom the system requires a second factor. */
  readonly mfaRequired: 'never' | 'admins' | 'always'
  /** The mail server; absent in development, where mail is kept for reading. */
  readonly smtpUrl?: string
  /** Whom mail is from. */
  readonly mailFrom: string
  /** Whether the web process does the jobs too; else only workers do. */
  readonly areJobsRunHere: boolean
  /** The fewest code points of a password. */
  readonly passwordMinLength: number
  /** Whether people may make themselves an account. */
  readonly isSignUpOpen: boolean
  /** The ways to sign in that need nothing but an address. */
  readonly signInMethods: readonly ('password' | 'email_code')[]
  /** The upstream providers that everybody may sign in by, by the id of their connector. */
  readonly providers: ConfiguredProviders
  /** How the server listens, and where clients' certificates come from. */
  readonly tls: TlsSettings
  readonly logLevel: string
  readonly isDemoSeeded: boolean
}

/** The names of all settings, as `.env.example` lists them. */
export const settingNames: readonly string[] = Object.keys(environmentSchema.shape)

/** Thrown by {@link readConfig}: every fault of the environment, one sentence each. */
export class ConfigError extends Error {
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super(['These settings need attention:', ...faults.map(fault => `  - ${fault}`)].join('\n'))
    this.name = 'ConfigError'
    this.faults = faults
  }
}

/** Parses the environment. Throws {@link ConfigError} naming all that is wrong. */
export const readConfig = (environment: Environment = process.env): Config => {
  const parsed = environmentSchema.safeParse(environment)
  const faults = [
    ...(environment.NODE_ENV === 'production' ? productionFaults(environment) : []),
    ...providerFaults(environment),
    ...tlsFaults(environment),
    ...processFaults(environment),
  ]
  if (!parsed.success) throw new ConfigError([...sentencesOf(parsed.error), ...faults])
  if (faults.length > 0) throw new ConfigError(faults)
  const settings = parsed.data
  const issuer = settings.ISSUER ?? `http://localhost:${settings.PORT}`
  return {
    environment: settings.NODE_ENV,
    port: settings.PORT,
    host: settings.HOST,
    issuer,
    databaseUrl: settings.DATABASE_URL,
    redisUrl: settings.REDIS_URL,
    dataDir: settings.DATA_DIR,
    secretKey: settings.SECRET_KEY,
    backupKey: settings.BACKUP_KEY,
    trustedProxies: settings.TRUST_PROXY,
    corsOrigins: settings.CORS_ORIGINS,
    outboundAllowed: settings.OUTBOUND_ALLOW,
    apiRequestsPerMinute: settings.API_REQUESTS_PER_MINUTE,
    mfaRequired: settings.MFA_REQUIRED,
    smtpUrl: settings.SMTP_URL,
    mailFrom: settings.MAIL_FROM ?? `Authy2 <no-reply@${new URL(issuer).hostname}>`,
    areJobsRunHere: settings.RUN_JOBS ?? true,
    passwordMinLength: settings.PASSWORD_MIN_LENGTH,
    isSignUpOpen: settings.SIGN_UP === 'open',
    signInMethods: settings.SIGN_IN_METHODS,
    providers: providersOf(environment),
    ...registrationConfigOf(settings),
    ...keyConfigOf(settings),
    ...processConfigOf(settings),
    ...observabilityConfigOf(settings),
    tls: tlsOf(environment),
    logLevel: settings.LOG_LEVEL,
    isDemoSeeded: settings.SEED_DEMO ?? (settings.NODE_ENV !== 'production' && isLoopbackHost(new URL(issuer).hostname)),
  }
}

/** Parses the environment over what a file says: the environment wins. Throws {@link ConfigError}. */
export const readConfigOver = (file: Environment): Config => readConfig({ ...file, ...process.env })

// Of a list that several items of are wrong, once.
const sentencesOf = ({ issues }: z.ZodError): string[] => [...new Set(issues.map(({ path: [setting = ''], message }) => `${String(setting)} ${message}`))]

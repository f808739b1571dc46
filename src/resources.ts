// What must be opened and closed: database, Redis, mail, log, DNS; and the clock and randomness, which come from nowhere else.
import { randomBytes, randomUUID } from 'node:crypto'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HashingCost } from './authentication/password.ts'
import type { Config } from './config.ts'
import { makeDataDir } from './platform/data/data-dir.ts'
import { type Database, openDatabase } from './platform/data/database.ts'
import { openSecrets } from './platform/data/lasting-keys.ts'
import { migrate } from './platform/data/migrate.ts'
import { openRedis, type Redis } from './platform/data/redis.ts'
import { createResolveTxt, type ResolveTxt } from './platform/dns.ts'
import { type Log, openLog } from './platform/log.ts'
import { createSmtpMailer, type Mailer } from './platform/mail.ts'
import { createMailbox, type Mailbox } from './platform/mailbox.ts'
import { createMetrics, type Metrics } from './platform/metrics/metrics.ts'
import type { Secrets } from './platform/secrets.ts'
import type { Tracing } from './platform/tracing/tracing.ts'
import { version } from './version.ts'

/** Everything that is open. */
export interface Resources {
  readonly database: Database
  readonly redis?: Redis
  readonly log: Log
  /** Absent where nobody can ask for them. */
  readonly metrics?: Metrics
  /** Absent where nothing is traced. */
  readonly tracing?: Tracing | undefined
  /** Absent where there is no mail server and nobody to read what is kept: production without SMTP_URL. */
  readonly mailer?: Mailer
  /** The mailer, where it keeps mail for reading. */
  readonly mailbox?: Mailbox
  readonly secrets: Secrets
  /** What hashing a password costs; absent: what it has to. */
  readonly hashingCost?: HashingCost
  readonly resolveTxt: ResolveTxt
  readonly now: () => Date
  readonly randomBytes: (size: number) => Buffer
  readonly newId: () => string
  /** Leads what goes out elsewhere; absent but in tests, where servers of their own stand in for those of the world. */
  readonly reroute?: (guarded: typeof fetch) => typeof fetch
  /** The migrations this start applied. */
  readonly applied: readonly string[]
  close(): Promise<void>
}

/** Opens everything and migrates the database. Throws a sentence for what cannot be opened; then nothing stays open. */
export const openResources = async (config: Config): Promise<Resources> => {
  const log = openLog(config.logLevel)
  const secretKey = config.secretKey ?? developmentKey(config.dataDir)
  const database = await openDatabase({ url: config.databaseUrl, dataDir: config.dataDir, poolSize: config.databasePoolSize, log })
  let redis: Redis | undefined
  let tracing: Tracing | undefined
  let mail: ReturnType<typeof openMail> = {}
  const now = () => new Date()
  const close = async () => {
    mail.mailer?.close()
    await redis?.close()
    await database.close()
    await tracing?.close()
  }
  try {
    tracing = await openTracing(config)
    mail = openMail(config, now)
    const applied = await migrate(database, { log })
    redis = config.redisUrl === undefined ? undefined : await openRedis(config.redisUrl, log, { isTraced: tracing !== undefined })
    const secrets = await openSecrets({ database, secretKey, previousKeys: config.previousSecretKeys, randomBytes })
    return {
      database,
      redis,
      log,
      metrics: createMetrics(),
      tracing,
      ...mail,
      secrets,
      resolveTxt: createResolveTxt(),
      now,
      randomBytes,
      newId: randomUUID,
      applied,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Opens traces where there is a collector; what they need is not even read where there is none. */
export const openTracing = async ({ tracing }: Pick<Config, 'tracing'>): Promise<Tracing | undefined> => {
  if (!tracing) return undefined
  const { openTracing } = await import('./platform/tracing/open.ts')
  return openTracing({ ...tracing, version })
}

/** Opens the way mail goes: to a server, or in development into a folder. */
export const openMail = ({ smtpUrl, mailFrom, issuer, environment, dataDir }: Config, now: () => Date): Pick<Resources, 'mailer' | 'mailbox'> => {
  if (smtpUrl !== undefined) return { mailer: createSmtpMailer({ url: smtpUrl, from: mailFrom, host: new URL(issuer).hostname }) }
  if (environment === 'production') return {}
  const mailbox = createMailbox({ directory: join(dataDir, 'mail'), now })
  return { mailer: mailbox, mailbox }
}

/** The key that there is already: that of the settings, or development's own. Nothing is made. */
export const findSecretKey = ({ secretKey, dataDir }: { readonly secretKey?: string | undefined; readonly dataDir: string }): string | undefined => {
  const path = join(dataDir, 'secret-key')
  return secretKey ?? (existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined)
}

// Development keeps a key of its own, so that what is sealed opens again after a restart.
const developmentKey = (dataDir: string): string => {
  const path = join(dataDir, 'secret-key')
  if (existsSync(path)) return readFileSync(path, 'utf8').trim()
  makeDataDir(dataDir)
  writeFileSync(path, `${randomBytes(48).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' })
  chmodSync(path, 0o600)
  return readFileSync(path, 'utf8').trim()
}

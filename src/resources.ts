// What must be opened and closed: database, Redis, mail, log; and the clock and randomness, which come from nowhere else.
import { randomBytes, randomUUID } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from './config.ts'
import { type Database, openDatabase } from './platform/data/database.ts'
import { migrate } from './platform/data/migrate.ts'
import { openRedis, type Redis } from './platform/data/redis.ts'
import { type Log, openLog } from './platform/log.ts'
import { createSmtpMailer, type Mailer } from './platform/mail.ts'
import { createMailbox, type Mailbox } from './platform/mailbox.ts'
import { createSecrets, type Secrets } from './platform/secrets.ts'

/** Everything that is open. */
export interface Resources {
  readonly database: Database
  readonly redis?: Redis
  readonly log: Log
  /** Absent where there is no mail server and nobody to read what is kept: production without SMTP_URL. */
  readonly mailer?: Mailer
  /** The mailer, where it keeps mail for reading. */
  readonly mailbox?: Mailbox
  readonly secrets: Secrets
  readonly now: () => Date
  readonly randomBytes: (size: number) => Buffer
  readonly newId: () => string
  /** Leads what goes out elsewhere; absent but in tests, where servers of their own stand in for those of the world. */
  readonly outbound?: (guarded: typeof fetch) => typeof fetch
  /** The migrations this start applied. */
  readonly applied: readonly string[]
  close(): Promise<void>
}

/** Opens everything and migrates the database. Throws a sentence for what cannot be opened; then nothing stays open. */
export const openResources = async (config: Config): Promise<Resources> => {
  const log = openLog(config.logLevel)
  const secretKey = config.secretKey ?? developmentKey(config.dataDir)
  const database = await openDatabase({ url: config.databaseUrl, dataDir: config.dataDir, log })
  let redis: Redis | undefined
  const now = () => new Date()
  const mail = openMail(config, now)
  const close = async () => {
    mail.mailer?.close()
    await redis?.close()
    await database.close()
  }
  try {
    const applied = await migrate(database, { log })
    redis = config.redisUrl === undefined ? undefined : await openRedis(config.redisUrl, log)
    return {
      database,
      redis,
      log,
      ...mail,
      secrets: createSecrets({ secretKey, randomBytes }),

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

/** Opens the way mail goes: to a server, or in development into a folder. */
export const openMail = ({ smtpUrl, mailFrom, issuer, environment, dataDir }: Config, now: () => Date): Pick<Resources, 'mailer' | 'mailbox'> => {
  if (smtpUrl !== undefined) return { mailer: createSmtpMailer({ url: smtpUrl, from: mailFrom, host: new URL(issuer).hostname }) }
  if (environment === 'production') return {}
  const mailbox = createMailbox({ directory: join(dataDir, 'mail'), now })
  return { mailer: mailbox, mailbox }
}

// Development keeps a key of its own, so that what is sealed opens again after a restart.
const developmentKey = (dataDir: string): string => {
  const path = join(dataDir, 'secret-key')
  if (existsSync(path)) return readFileSync(path, 'utf8').trim()
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  writeFileSync(path, `${randomBytes(48).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' })
  chmodSync(path, 0o600)
  return readFileSync(path, 'utf8').trim()
}

// What the commands of backups do: settings → key → one call; what the caller can act on is told in a sentence, with exit code 1.
import { randomBytes, randomUUID } from 'node:crypto'
import { BackupError } from '../src/backup/backup.ts'
import { type Cipher, createCipher } from '../src/backup/cipher.ts'
import { type Config, ConfigError, readConfig } from '../src/config.ts'
import { type LastingKey, secretsOver } from '../src/platform/data/lasting-keys.ts'
import { RefillError } from '../src/platform/data/refill-error.ts'
import type { Tally } from '../src/platform/data/rows.ts'
import { StartError } from '../src/platform/data/start-error.ts'
import { createSecrets, type Secrets } from '../src/platform/secrets.ts'
import { createUuids } from '../src/platform/uuid.ts'
import { loadEnvironmentFile } from '../src/process.ts'
import { findSecretKey } from '../src/resources.ts'

/** What they are handed. */
export interface Open {
  readonly config: Config
  readonly cipher: Cipher
  readonly secrets: Secrets
  readonly secretsOver: (keys: readonly LastingKey[]) => Secrets
  readonly now: () => Date
  readonly newId: () => string
  readonly newUuid: () => string
  /** From now on a signal no longer ends the process: what is done cannot be undone any more, and is still to be told. */
  readonly beforeCommit: () => void
}

/** Runs one call with the keys of the settings. Opens no database and makes no key. */
export const withBackups = async (work: (open: Open) => Promise<void>): Promise<void> => {
  let isTooLate = false
  // What is unfinished is removed as the process leaves.
  const onSignal = () => (isTooLate ? console.error('It is too late to stop: this comes to its end, and tells what was done.') : process.exit(1))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
  try {
    loadEnvironmentFile()
    const config = readConfig()
    const secretKey = findSecretKey(config)
    if (secretKey === undefined)
      throw new BackupError('key_wrong', 'There is no SECRET_KEY: set that of the server (in development it is kept in DATA_DIR/secret-key).')
    const given = { secretKey, previousKeys: config.previousSecretKeys, randomBytes }
    const secrets = createSecrets(given)
    const now = () => new Date()
    const uuids = createUuids(randomBytes)
    await work({
      config,
      secrets,
      secretsOver: keys => secretsOver(keys, given),
      cipher: createCipher({ secrets, backupKey: config.backupKey }),
      now,
      newId: randomUUID,
      newUuid: () => uuids(now()),
      beforeCommit: () => {
        isTooLate = true
      },
    })
  } catch (error) {
    const sentence = sentenceOf(error)
    if (sentence === undefined) throw error
    console.error(sentence)
    process.exitCode = 1
  }
}

const sentenceOf = (error: unknown): string | undefined => {
  if (error instanceof BackupError || error instanceof RefillError || error instanceof StartError || error instanceof ConfigError) return error.message
  // A disk that is full, a folder that is not there, a pipe that nobody reads, a connection that broke.
  return error instanceof Error && 'syscall' in error ? `It was broken off: ${error.message}.` : undefined
}

/** Tables as lines: name, rows, the beginning of their hash. */
export const tableText = (tables: readonly Tally[]): string => {
  const width = Math.max(...tables.map(({ table }) => table.length))
  const lines = tables.map(({ table, rows, sha256 }) => `${table.padEnd(width)}  ${String(rows).padStart(9)}  ${sha256.slice(0, 16)}`)
  return `${lines.join('\n')}\n${tables.reduce((sum, { rows }) => sum + rows, 0)} rows in ${tables.length} tables.`
}

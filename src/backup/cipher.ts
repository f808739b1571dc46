// How backups are closed and opened: as age files (age-encryption.org/v1), whose chunks are each authenticated, in order and to the last.
import { Decrypter, Encrypter, identityToRecipient } from 'age-encryption'
import { isOneOf, type Secrets } from '../platform/secrets.ts'
import { BackupError, isOfReading } from './backup.ts'

/** A stream of bytes. */
export type Bytes = ReadableStream<Uint8Array>

/** Closes and opens under one key. */
export interface Cipher {
  close(plain: Bytes): Promise<Bytes>
  /**
   * Throws a BackupError `key_wrong` or `damaged`, and what the system says of bytes that cannot be read; the stream that it gives breaks off with
   * `damaged`.
   */
  open(closed: Bytes): Promise<Bytes>
}

/** What one is made of. */
interface Keys {
  readonly secrets: Secrets
  readonly backupKey?: string | undefined
  /** How much scrypt does for a passphrase, as the exponent of two; absent: what age does, about a second. */
  readonly workFactor?: number
}

// A key of 256 bits needs no stretching.
const derivedWorkFactor = 2

/**
 * Makes one under BACKUP_KEY: an age recipient (`age1…`, closes alone), an age identity (`AGE-SECRET-KEY-…`) or a passphrase (stretched by
 * scrypt). Without it, under a key derived from SECRET_KEY.
 */
export function createCipher({ secrets, backupKey, workFactor }: Keys): Cipher {
  return {
    close: async plain => (await encrypterUnder({ secrets, backupKey, workFactor })).encrypt(plain),
    open: async closed => {
      const decrypter = new Decrypter()
      if (backupKey === undefined) for (const key of secrets.deriveAll('backup')) decrypter.addPassphrase(asPassphrase(key))
      else if (backupKey.startsWith('age1'))
        throw new BackupError('key_wrong', 'BACKUP_KEY is a recipient, which closes backups alone: to open one it must be the identity of it.')
      else if (backupKey.startsWith('AGE-SECRET-KEY-')) decrypter.addIdentity(backupKey)
      else decrypter.addPassphrase(backupKey)
      const hint =
        backupKey === undefined ? 'made under another SECRET_KEY, or under a BACKUP_KEY that is not set here' : 'made under another BACKUP_KEY, or without one'
      return await decrypter.decrypt(closed).catch((cause: unknown) => {
        if (isOfReading(cause)) throw cause
        if (cause instanceof Error && /no identity matched/.test(cause.message))
          throw new BackupError('key_wrong', `The backup cannot be opened: it was ${hint}.`, { cause })
        throw new BackupError('damaged', 'This is no backup, or it was damaged: its first lines are not right.', { cause })
      })
    },
  }
}

/** Tells, without telling the key, whether a backup's rows are sealed under a SECRET_KEY. */
export const keyCheckOf = (secrets: Secrets, backupId: string): string => secrets.digest('backup-check', backupId).toString('base64url')

/** Whether what {@link keyCheckOf} told is of this SECRET_KEY, or of one before it. */
export const isKeyKnown = (secrets: Secrets, { id, key_check }: { id: string; key_check: string }): boolean =>
  isOneOf(secrets.digests('backup-check', id), Buffer.from(key_check, 'base64url'))

async function encrypterUnder({ secrets, backupKey, workFactor }: Keys): Promise<Encrypter> {
  const encrypter = new Encrypter()
  if (backupKey?.startsWith('age1')) encrypter.addRecipient(backupKey)
  else if (backupKey?.startsWith('AGE-SECRET-KEY-')) encrypter.addRecipient(await identityToRecipient(backupKey))
  else if (backupKey !== undefined) {
    encrypter.setPassphrase(backupKey)
    if (workFactor !== undefined) encrypter.setScryptWorkFactor(workFactor)
  } else {
    encrypter.setPassphrase(asPassphrase(secrets.derive('backup')))
    encrypter.setScryptWorkFactor(derivedWorkFactor)
  }
  return encrypter
}

const asPassphrase = (key: Buffer): string => key.toString('base64url')

// The words of this slice: what a backup says of itself, and why one is refused.
import { z } from 'zod'
import { event } from '../platform/data/change.ts'
import type { Tally } from '../platform/data/rows.ts'

/** Why a backup was not read, written or restored. */
export type BackupErrorCode =
  | 'key_wrong'
  | 'secret_key_other'
  | 'damaged'
  | 'version_unknown'
  | 'file_missing'
  | 'file_unreadable'
  | 'file_exists'
  | 'file_special'
  | 'nothing_there'
  | 'export_unreadable'

/** Ends the command: `message` is for people, `code` for programs; neither holds a secret. */
export class BackupError extends Error {
  override readonly name = 'BackupError'
  readonly code: BackupErrorCode

  constructor(code: BackupErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** What is not as it was written. */
export const damaged = (cause?: unknown) => new BackupError('damaged', 'The backup is damaged or incomplete: nothing of it was used.', { cause })

/** Whether an error tells of bytes that could not be had, and nothing of what they are: it is passed on as it is. */
export const isOfReading = (error: unknown): boolean => error instanceof BackupError || (error instanceof Error && 'syscall' in error)

/** The first line of a backup, once it is opened. */
export const headerSchema = z.object({
  format: z.literal('authy2-backup'),
  version: z.literal(1),
  id: z.string(),
  created_at: z.iso.datetime(),
  /** Tells whether a SECRET_KEY is the one under which the rows are sealed. */
  key_check: z.string(),
  migrations: z.array(z.object({ name: z.string(), checksum: z.string() })),
  /** The tables that are not in it. */
  left_out: z.array(z.string()),
})

/** What a backup says of itself. */
export type Header = z.output<typeof headerSchema>

/** The line before the rows of a table. */
export const tableSchema = z.object({ table: z.string(), columns: z.array(z.string()) })

/** The line after the rows of a table. */
export const tableEndSchema = z.object({ end: z.string(), rows: z.int(), sha256: z.string() })

/** The last line. */
export const endSchema = z.object({ complete: z.literal(true), tables: z.int() })

/** A row. */
export const rowSchema = z.array(z.string().nullable())

/** What was read or written. */
export interface Told {
  readonly header: Header
  readonly tables: readonly Tally[]
}

/** The events of putting a database back. */
export const backupEvents = {
  'backup.restored': event('backup', { created_at: z.string(), kept_sessions: z.boolean() }),
}

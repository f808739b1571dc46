// The words of an import: what a row says, and what came of it.
import { z } from 'zod'
import { languageTag, mailedName, text } from '../platform/http/text.ts'

/** How many users one import may bring. */
export const maxImportRows = 10_000

/** How many where it is all or none: they are one change, during which others wait for the log. */
export const maxWholeRows = 2000

/** A row. Nobody is imported as an administrator. */
export const importRow = z.strictObject({
  email: text(320),
  email_verified: z.boolean().nullish(),
  full_name: mailedName(200).nullish(),
  locale: languageTag.nullish(),
  password_hash: text(512).nullish().meta({ description: 'argon2, bcrypt, scrypt or PBKDF2, as the other system kept it; replaced at the first sign-in.' }),
})

const fault = z.object({ path: z.string(), message: z.string() })

/** What is told of an import, a result a row, in the order of the rows. */
export const importOutput = z.object({
  dry_run: z.boolean(),
  created: z.int(),
  /** Of a dry run: how many would be created. */
  valid: z.int(),
  failed: z.int(),
  results: z.array(
    z.object({
      row: z.int(),
      status: z.enum(['created', 'valid', 'failed']),
      id: z.uuid().nullable(),
      email: z.string().nullable(),
      error: z.object({ type: z.string(), fields: z.array(fault) }).nullable(),
    }),
  ),
})

/** What came of a row; rows are counted from 0. */
export type ImportResult = z.output<typeof importOutput>['results'][number]

/** What came of all of them. */
export type ImportOutcome = z.output<typeof importOutput>

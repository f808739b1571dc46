// The operation that moves users in from another system.
import { z } from 'zod'
import { type Route, route } from '../platform/http/route.ts'
import { importOutput, importRow, maxImportRows, maxWholeRows } from './import.ts'
import type { UserImports } from './imports.ts'

const mode = z.enum(['each', 'all'])
const megabyte = 1024 ** 2

/** Makes the routes. */
export const createUserImportRoutes = ({ userImports }: { readonly userImports: UserImports }): readonly Route[] => [
  route({
    method: 'POST',
    path: '/users/import',
    summary: 'Makes many users, with the password hashes of another system.',
    description:
      'Answers a result a row, counted from 0. With `mode` `each` a bad row keeps back no other; with `all` nothing is written unless every row can be, and ' +
      'a refusal names the rows. `dry_run` writes nothing and tells what would be. Both stand in the query, or in the JSON object; a dry run, or all or nothing, ' +
      `is what it is where either place says so. At most ${maxImportRows} rows, with \`all\` ${maxWholeRows}: JSON of 1 MB, or NDJSON of 16 MB, a user a line; 16 KB a user.`,
    permission: 'users:write',
    query: z.strictObject({ dry_run: z.enum(['true', 'false']).optional(), mode: mode.optional() }),
    body: z.strictObject({
      users: z.array(z.unknown()).min(1).max(maxImportRows),
      dry_run: z.boolean().optional(),
      mode: mode.optional(),
    }),
    rows: { field: 'users', max: maxImportRows, row: importRow, maxJsonBytes: megabyte, maxLineStreamBytes: 16 * megabyte },
    output: importOutput,
    handle: async ({ actor, query, body }) => {
      const isDryRun = query.dry_run === 'true' || body.dry_run === true
      const isWhole = query.mode === 'all' || body.mode === 'all'
      return { data: await userImports.run(actor, { rows: body.users, isDryRun, isWhole }) }
    },
  }),
]

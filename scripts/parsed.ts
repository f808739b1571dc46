// What a command was given, held against the schema by which the API takes the same.
import type { z } from 'zod'
import { faultsOf } from '../src/platform/http/faults.ts'

/** What the schema makes of it, or a sentence that says what is wrong. */
export const parsed = <Schema extends z.ZodType>(schema: Schema, given: unknown): { data: z.output<Schema> } | { fault: string } => {
  const result = schema.safeParse(given)
  if (result.success) return { data: result.data }
  return {
    fault: `This is not valid: ${faultsOf(result.error.issues)
      .map(({ path, message }) => `${path.join('.')} (${message})`)
      .join(', ')}.`,
  }
}

// Reads what a form of the account centre says.
import type { z } from 'zod'
import { Problem } from '../platform/errors.ts'
import { faultsOf } from '../platform/http/form.ts'

/** A form by its schema. Throws `validation_failed` naming the fields. */
export const parsed = <Fields extends z.ZodType>(fields: Fields, form: unknown): z.output<Fields> => {
  const result = fields.safeParse(form)
  if (result.success) return result.data
  throw new Problem('validation_failed', { fields: faultsOf(result.error) })
}

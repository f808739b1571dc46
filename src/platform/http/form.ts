// Forms of the hosted pages: read, bounded, each field once, and proven to come from our own page.
import type { Context } from 'koa'
import { koaBody } from 'koa-body'
import { z } from 'zod'
import { type FieldFault, Problem } from '../errors.ts'
import { isOneOf, type Secrets } from '../secrets.ts'
import { isPlainText, text } from './text.ts'

/** Makes and checks the token of a form, bound to what the form belongs to. */
export interface FormTokens {
  issue(binding: string): string
  /** Throws `csrf_mismatch`. */
  verify(binding: string, token: string): void
}

const parse = koaBody({ json: false, text: false, multipart: false, formLimit: '16kb', queryString: { depth: 0, arrayLimit: 0 } })

/** Signed double-submit: the binding is known only to the browser that holds its cookie. */
export const createFormTokens = (secrets: Secrets): FormTokens => ({
  issue: binding => secrets.digest('csrf', binding).toString('base64url'),
  verify: (binding, token) => {
    if (!isOneOf(secrets.digests('csrf', binding), Buffer.from(token, 'base64url'))) throw new Problem('csrf_mismatch')
  },
})

/**
 * Reads a posted form by a schema. Throws `csrf_mismatch` for another site's, `unsupported_media_type` for what is no form,
 * and `validation_failed` naming the fields, also for a field given twice.
 */
export const readForm = async <Fields extends z.ZodType>(ctx: Context, { fields, issuer }: { fields: Fields; issuer: string }): Promise<z.output<Fields>> => {
  refuseForeign(ctx, issuer)
  if (!ctx.is('application/x-www-form-urlencoded')) throw new Problem('unsupported_media_type')
  await parse(ctx as never, async () => undefined)
  const result = fields.safeParse(ctx.request.body ?? {})
  if (result.success) return result.data
  throw new Problem('validation_failed', { fields: faultsOf(result.error) })
}

/** The fields of a form that says nothing but where it comes from. */
export const tokenOnly = z.strictObject({ csrf: text(200) })

const maxTyped = 2000

/**
 * What was typed into a field of the form that is posted, for the page that shows it again with what is wrong: also of a form that was not taken,
 * and never of another site's. Not for secrets.
 */
export const typedIn = (ctx: Context, field: string): string | undefined => {
  const value = new Map<string, unknown>(Object.entries(ctx.request.body ?? {})).get(field)
  return typeof value === 'string' && isPlainText(value) ? value.slice(0, maxTyped).toWellFormed() : undefined
}

/** What is wrong with each field, by codes that the pages have words for. */
export const faultsOf = ({ issues }: z.ZodError): readonly FieldFault[] => issues.map(toFault)

const toFault = (issue: z.core.$ZodIssue): FieldFault => {
  const { path, message } = issue
  const fault = { path: path.join('.'), message }
  if (issue.code === 'too_small') return { ...fault, code: Number(issue.minimum) > 1 ? 'too_short' : 'required', values: { min: Number(issue.minimum) } }
  if (issue.code === 'too_big') return { ...fault, code: 'too_long', values: { max: Number(issue.maximum) } }
  return { ...fault, code: issue.code === 'custom' && typeof issue.params?.code === 'string' ? issue.params.code : 'invalid' }
}

// Our pages send no referrer, so a browser may say `Origin: null` for our own forms; Sec-Fetch-Site tells those apart.
const refuseForeign = (ctx: Context, issuer: string) => {
  const origin = ctx.get('Origin')
  const site = ctx.get('Sec-Fetch-Site')
  if (site && site !== 'same-origin' && site !== 'none') throw new Problem('csrf_mismatch')
  if (origin && origin !== issuer && !(origin === 'null' && site === 'same-origin')) throw new Problem('csrf_mismatch')
}

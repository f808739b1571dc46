// Sends a browser on to another provider: to an address, or with a form that it posts there.
import type { Context } from 'koa'
import { seeOther } from '../platform/http/see-other.ts'
import type { Present } from './present.ts'

/** How it goes on. */
export interface Onward {
  readonly redirectUrl?: URL
  readonly form?: { readonly action: string; readonly fields: Readonly<Record<string, string>> }
}

/** Answers with the redirect or the form. */
export const sendOn = (present: Present, ctx: Context, { connection, onward }: { connection: string; onward: Onward }): void => {
  const { redirectUrl, form } = onward
  if (redirectUrl) {
    seeOther(ctx, redirectUrl.href)
    return
  }
  if (!form) throw new Error('a connector said nowhere to go on to')
  const fields = Object.entries(form.fields).map(([name, value]) => ({ name, value }))
  present(ctx, 'post-on', { connection, action: form.action, fields, isAutomatic: true })
}

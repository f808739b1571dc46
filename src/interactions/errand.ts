// What a browser remembers while somebody does an errand outside an interaction: whose form it is, the link that was opened, the way back.
import type { Context } from 'koa'
import { z } from 'zod'
import type { FindLook } from '../clients/branding.ts'
import { notePageContext } from '../platform/http/page-context.ts'
import { createSealedCookie } from '../platform/http/sealed-cookie.ts'
import { hashOf, type Secrets } from '../platform/secrets.ts'

const schema = z.object({
  /** Known to this browser alone: what its forms' tokens are bound to. */
  id: z.string(),
  /** The interaction that was left for it. */
  interaction: z.string().optional(),
  /** The client of that interaction, whose look its pages have. */
  clientId: z.string().optional(),
  /** The language of the page that was left for it. */
  language: z.string().optional(),
  email: z.string().optional(),
  /** The secret of the link. */
  token: z.string().optional(),
})

/** What is remembered. */
export type Errand = z.output<typeof schema>

/** Remembers one errand of a kind. */
export interface Errands {
  /** The one under way, or a new one. What is answered is in its language. */
  begin(ctx: Context): Errand
  /** Has what is answered look as the pages that were left for the one under way. */
  dress(ctx: Context): Promise<void>
  update(ctx: Context, changes: Partial<Omit<Errand, 'id'>>): Errand
  /** What a form's token is bound to: this browser and, where the form is of a link, that link. Another that is opened meanwhile ends the form. */
  bindingOf(errand: Pick<Errand, 'id' | 'token'>): string
}

interface Needs {
  readonly findLook: FindLook
  readonly secrets: Secrets
  readonly isSecure: boolean
  readonly newId: () => string
}

const ttlSeconds = 3600

/** Makes it; `name` is the cookie's. */
export const createErrands = (name: string, { findLook, secrets, isSecure, newId }: Needs): Errands => {
  const cookie = createSealedCookie({ name, schema, secrets, isSecure, ttlSeconds })
  const update = (ctx: Context, changes: Partial<Omit<Errand, 'id'>>) => {
    const errand = { ...(cookie.read(ctx) ?? { id: newId() }), ...changes }
    cookie.write(ctx, errand)
    return errand
  }
  const begin = (ctx: Context) => {
    const errand = cookie.read(ctx) ?? update(ctx, {})
    notePageContext(ctx, { uiLocales: errand.language })
    return errand
  }
  const dress = async (ctx: Context) => {
    const clientId = cookie.read(ctx)?.clientId
    if (clientId !== undefined) notePageContext(ctx, (await findLook(clientId)) ?? {})
  }
  const bindingOf = ({ id, token }: Pick<Errand, 'id' | 'token'>) =>
    [name, id, ...(token === undefined ? [] : [hashOf('link', token).toString('base64url')])].join('\0')
  return { begin, dress, update, bindingOf }
}

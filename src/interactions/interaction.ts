// The words of this entrance: an interaction as its pages need it, and what all of them do alike.
import type { Context } from 'koa'
import type { SignIn } from '../authentication/sign-in.ts'
import type { Actor } from '../platform/actor.ts'
import { Problem } from '../platform/errors.ts'
import type { FormTokens } from '../platform/http/form.ts'
import { plainAddress } from '../platform/http/limit.ts'
import type { Secrets } from '../platform/secrets.ts'
import type { Users } from '../users/users.ts'
import type { KnownDevices } from './known-device.ts'
import type { Present } from './present.ts'

/** An interaction as the pages need it; the protocol's entrance gives these. */
export interface Interaction {
  readonly uid: string
  readonly prompt: string
  readonly client: { readonly name: string; readonly logoUrl?: string; readonly origin?: string; readonly policyUrl?: string; readonly termsUrl?: string }
  readonly loginHint?: string
  readonly accountId?: string
  readonly asked: { readonly scopes: readonly string[]; readonly claims: readonly string[]; readonly resources: Readonly<Record<string, readonly string[]>> }
  readonly hasOfflineAccess: boolean
}

/** What the protocol's entrance does for the pages; each answers the address where the authorization goes on. */
export interface Interactions {
  get(ctx: Context): Promise<Interaction>
  finishLogin(ctx: Context, login: { accountId: string; amr: readonly string[]; isRemembered: boolean; at: Date }): Promise<string>
  finishConsent(ctx: Context, actor: Actor): Promise<string>
  refuse(ctx: Context, actor: Actor): Promise<string>
}

/** What the pages need. */
export interface PageNeeds {
  readonly interactions: Interactions
  readonly signIn: SignIn
  readonly users: Users
  readonly present: Present
  readonly forms: FormTokens
  readonly devices: KnownDevices
  readonly secrets: Secrets
  readonly issuer: string
  readonly isSecure: boolean
  readonly now: () => Date
}

/** Who is asking on a page before they signed in. */
export const visitor = (ctx: Context): Actor => ({
  kind: 'anonymous',
  permissions: new Set(),
  requestId: ctx.state.requestId,
  ip: plainAddress(ctx.ip),
  userAgent: ctx.get('User-Agent').slice(0, 512) || undefined,
})

/** 303, never 307: what was posted must not be posted on (RFC 9700 §4.12). */
export const seeOther = (ctx: Context, location: string): void => {
  ctx.redirect(location)
  ctx.status = 303
  ctx.set('Cache-Control', 'no-store')
}

/** Whether an error is one that the page it came from shows. */
export const isShownOnPage = (error: unknown): error is Problem =>
  error instanceof Problem && ['validation_failed', 'invalid_credentials', 'too_many_attempts', 'busy', 'csrf_mismatch'].includes(error.code)

// The words of this entrance: who is here, and a page that is shown and answers its form.
import type { Context } from 'koa'
import type { AccountLocals, AccountPage } from '../pages/account-locals.ts'
import type { Actor } from '../platform/actor.ts'
import type { Problem } from '../platform/errors.ts'
import type { User } from '../users/user.ts'

/** Who is here. */
export interface Visit {
  readonly user: User
  /** The session's `sid`. */
  readonly sid: string
  readonly actor: Actor
}

/** The pages that stand in the account centre's menu or under it. */
export type AccountPageName = {
  [View in keyof AccountLocals]: AccountLocals[View] extends AccountPage ? View : never
}[keyof AccountLocals]

type OwnLocals<View extends AccountPageName> = Omit<AccountLocals[View], keyof AccountPage>

/** What a form came to: what to say, and where, when it is not the same page; or an answer that was already given. */
export type Submitted = { readonly done: string; readonly at?: `/account/${string}` } | { readonly answered: true }

/** A page of the account centre. */
export interface AccountPageRoute {
  readonly path: `/account/${string}`
  readonly view: AccountPageName
  /** Whether a sign-in of the last minutes is asked for. */
  readonly isSensitive: boolean
  /** Nothing, where it sent the browser on instead. */
  show(ctx: Context, visit: Visit): Promise<object | undefined>
  /** Does what the form asks; a Problem is shown on the page. */
  submit(ctx: Context, visit: Visit, form: unknown): Promise<Submitted>
  /** Takes up, at `<path>/return`, what was begun here and finished elsewhere; a Problem is shown on the page. */
  comeBack?(ctx: Context, visit: Visit): Promise<Submitted>
}

interface Definition<View extends AccountPageName> extends Omit<AccountPageRoute, 'show' | 'view'> {
  readonly view: View
  show(ctx: Context, visit: Visit): Promise<OwnLocals<View> | undefined>
}

/** Makes a page whose locals are held to its view's. */
export const accountPage = <View extends AccountPageName>(definition: Definition<View>): AccountPageRoute => definition

/** The Problems that the page they came from shows. */
export const shownCodes: ReadonlySet<Problem['code']> = new Set([
  'validation_failed',
  'too_many_attempts',
  'mail_not_possible',
  'busy',
  'csrf_mismatch',
  'last_owner',
  'last_admin',
  'not_found',
  'email_taken',
  'wrong_address',
  'member_exists',
  'too_many_factors',
  'invalid_code',
  'upstream_refused',
  'upstream_answer_invalid',
  'upstream_unavailable',
  'connection_gone',
  'identity_taken',
  'last_way_in',
  'request_gone',
  'too_many_agents',
  'factor_required',
])

/** What a form's token is bound to. */
export const formBinding = (sid: string): string => `account\0${sid}`

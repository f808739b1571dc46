// What the pages need to which the links of mails about an account lead, whoever is signed in there.
import type { AccountPage } from './account-locals.ts'
import type { FormProblem } from './page-locals.ts'

/** Posts to `action`: a link of a mail, which acts only when it is asked to. */
export interface AccountLinkPage extends FormProblem {
  readonly csrf: string
  readonly kind: 'change' | 'approve' | 'undo' | 'restore'
  readonly email: string
  readonly action: string
}

/** Posts `invitation`, which says what was shown, to `/account/invitation`. It is for the address `invited`. */
export interface AccountInvitationPage extends AccountPage {
  readonly invitation: string
  readonly organization: string
  readonly role: string
  readonly invited: string
  /** The person's own address, and whether it is the invited one and verified. */
  readonly email: string
  readonly isYours: boolean
}

/** Says what came of it: keys under `account.outcome.<kind>`. */
export interface AccountOutcomePage {
  readonly kind:
    | 'email_changed'
    | 'email_waits_for_new'
    | 'email_waits_for_old'
    | 'email_taken'
    | 'email_undone'
    | 'deleted'
    | 'restored'
    | 'link_expired'
    | 'refused'
  readonly homeUrl?: string
}

/** View name to the type of its locals. */
export interface AccountLinkLocals {
  readonly 'account-link': AccountLinkPage
  readonly 'account-outcome': AccountOutcomePage
}

type Names = { readonly [View in keyof AccountLinkLocals]: Readonly<Record<keyof Required<AccountLinkLocals[View]>, true>> }

/** The names of each page's locals; the compiler holds them equal to the types. */
export const accountLinkLocalNames: Names = {
  'account-link': { problem: true, csrf: true, kind: true, email: true, action: true },
  'account-outcome': { kind: true, homeUrl: true },
}

// What the pages need on which people make an account, prove an address or choose a new password.
import type { FormProblem, PageClient } from './page-locals.ts'

/** Posts `csrf`, `email`, `name`, `password` to `action`; `csrf` to `cancelAction`. */
export interface SignUpPage extends FormProblem {
  readonly action: string
  readonly csrf: string
  readonly email?: string
  readonly name?: string
  readonly minLength: number
  readonly signInUrl: string
  readonly client?: PageClient
  readonly cancelAction?: string
}

/** Posts `csrf`, `code` and, when ticked, `remember=yes` to `action`; `csrf` to `resendAction`; `cancelCsrf` as `csrf` to `cancelAction`. */
export interface CodePage extends FormProblem {
  readonly action: string
  readonly csrf: string
  readonly email: string
  /** What the code is for. */
  readonly reason: 'sign_in' | 'sign_up'
  readonly resendAction: string
  readonly changeUrl: string
  readonly isResent?: boolean
  readonly client?: PageClient
  readonly cancelAction?: string
  readonly cancelCsrf?: string
}

/** Where the link of a mail leads in the browser that asked; posts `csrf` and, when ticked, `remember=yes` to `action`. */
export interface CodeLinkPage extends FormProblem {
  readonly action: string
  readonly csrf: string
  readonly email: string
  readonly reason: 'sign_in' | 'sign_up'
  readonly codeUrl: string
  readonly client?: PageClient
}

/** Posts `csrf`, `username` to `action`. */
export interface RecoveryPage extends FormProblem {
  readonly action: string
  readonly csrf: string
  readonly username?: string
  readonly backUrl?: string
}

export interface RecoverySentPage {
  readonly againUrl: string
  readonly backUrl?: string
}

/** Posts `csrf`, `username`, `password` to `action`. */
export interface NewPasswordPage extends FormProblem {
  readonly action: string
  readonly csrf: string
  readonly username: string
  readonly minLength: number
}

export interface RecoveryDonePage {
  /** The sign-in that was left for this, in the same browser. */
  readonly backUrl?: string
}

/** Posts `csrf`, `username` and, where there is one, `password` to `action`. */
export interface VerifyEmailPage extends FormProblem {
  readonly action: string
  readonly csrf: string
  readonly username: string
  readonly hasPassword: boolean
  readonly recoveryUrl: string
}

export type EmailVerifiedPage = Readonly<Record<never, never>>

/** A part of a mail's text; with `url` it is a link. */
export interface MailPart {
  readonly text: string
  readonly url?: string
}

export interface MailboxPage {
  readonly mails: readonly { readonly url: string; readonly to: string; readonly subject: string; readonly at: string }[]
}

export interface MailboxMailPage {
  readonly to: string
  readonly subject: string
  readonly at: string
  readonly parts: readonly MailPart[]
  readonly listUrl: string
}

/** View name to the type of its locals. */
export interface ProofPageLocals {
  readonly 'sign-up': SignUpPage
  readonly code: CodePage
  readonly 'code-link': CodeLinkPage
  readonly recovery: RecoveryPage
  readonly 'recovery-sent': RecoverySentPage
  readonly 'new-password': NewPasswordPage
  readonly 'recovery-done': RecoveryDonePage
  readonly 'verify-email': VerifyEmailPage
  readonly 'email-verified': EmailVerifiedPage
  readonly mailbox: MailboxPage
  readonly 'mailbox-mail': MailboxMailPage
}

type Names = { readonly [View in keyof ProofPageLocals]: Readonly<Record<keyof Required<ProofPageLocals[View]>, true>> }

/** The names of each page's locals; the compiler holds them equal to the types. */
export const proofLocalNames: Names = {
  'sign-up': { problem: true, action: true, csrf: true, email: true, name: true, minLength: true, signInUrl: true, client: true, cancelAction: true },
  code: {
    problem: true,
    action: true,
    csrf: true,
    email: true,
    reason: true,
    resendAction: true,
    changeUrl: true,
    isResent: true,
    client: true,
    cancelAction: true,
    cancelCsrf: true,
  },
  'code-link': { problem: true, action: true, csrf: true, email: true, reason: true, codeUrl: true, client: true },
  recovery: { problem: true, action: true, csrf: true, username: true, backUrl: true },
  'recovery-sent': { againUrl: true, backUrl: true },
  'new-password': { problem: true, action: true, csrf: true, username: true, minLength: true },
  'recovery-done': { backUrl: true },
  'verify-email': { problem: true, action: true, csrf: true, username: true, hasPassword: true, recoveryUrl: true },
  'email-verified': {},
  mailbox: { mails: true },
  'mailbox-mail': { to: true, subject: true, at: true, parts: true, listUrl: true },
}

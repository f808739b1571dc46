/** What each hosted page needs to be shown: the contract between the routes and the views. */

import type { AccountLocals } from './account-locals.ts'
import type { ConsentPageLocals } from './consent-page-locals.ts'
import type { EnginePageLocals } from './engine-page-locals.ts'
import type { ToldProblem } from './problem-words.ts'
import type { ProofPageLocals } from './proof-page-locals.ts'

/** The client as a page tells of it. */
export interface PageClient {
  readonly name: string
  readonly logoUrl?: string
  /** The host of the redirect URI, e.g. `docs.acme.example`. */
  readonly origin?: string
  readonly policyUrl?: string
  readonly termsUrl?: string
  /** What a client that is named by its host calls itself. */
  readonly claimedName?: string
  /** Whose agent it is: a person's address, or an organization's name. */
  readonly agentOf?: string | undefined
  /** `false` shows a warning; absent shows nothing. */
  readonly verified?: boolean
}

/** What is wrong with the last submit; the page says it in its language, beside the fields where it names them. */
export interface FormProblem {
  readonly problem?: ToldProblem | undefined
}

/** The way in by passkey: the script posts `csrf` to `optionsUrl` for what the browser needs, and `csrf`, `response` to `action`. */
export interface PagePasskey {
  readonly action: string
  readonly optionsUrl: string
  /** A credential that is not known here: the browser is told. */
  readonly unknownId?: string
}

/** A button of another provider, with the mark of a well-known one and the name of the organization that runs it. */
export interface PageConnection {
  readonly id: string
  readonly name: string
  readonly mark?: string | undefined
  readonly organization?: string | undefined
  readonly isLastUsed?: boolean
}

/** Posts the fields to `action`, another provider's, by itself where there is script and `isAutomatic`. */
export interface PostOnPage {
  readonly connection: string
  readonly action: string
  readonly fields: readonly { readonly name: string; readonly value: string }[]
  readonly isAutomatic: boolean
}

/** Posts `csrf`, `username` to `action`; `csrf`, `connection` to `connectionAction`; `emailCodeCsrf` as `csrf` to `emailCodeAction`; `csrf` to `cancelAction`. */
export interface IdentifierPage extends FormProblem {
  readonly action: string
  readonly csrf: string
  readonly username?: string
  /** Where the page is without the address that was filled in. */
  readonly changeUrl?: string
  readonly client?: PageClient
  readonly connections: readonly PageConnection[]
  /** The ways past a connection that failed. */
  readonly passwordUrl?: string
  readonly emailCodeAction?: string
  readonly emailCodeCsrf?: string
  readonly connectionAction?: string
  readonly passkey?: PagePasskey
  readonly signUpUrl?: string
  readonly cancelAction?: string
}

/** Posts `csrf`, `username`, `password` and, when ticked, `remember=yes` to `action`; `csrf` to `emailCodeAction`; `cancelCsrf` as `csrf` to `cancelAction`. */
export interface PasswordPage extends FormProblem {
  readonly action: string
  readonly csrf: string
  readonly username: string
  readonly changeUrl: string
  readonly client?: PageClient
  readonly forgotUrl?: string
  readonly emailCodeAction?: string
  /** Whether the «Keep me signed in» box is offered, and whether it is ticked. */
  readonly canRemember?: boolean
  readonly remember?: boolean
  readonly cancelAction?: string
  readonly cancelCsrf?: string
}

/** Posts `csrf`, `code` to `action`, and what a passkey answers where `passkey` says; `cancelCsrf` as `csrf` to `cancelAction`. Its field error is `code`. */
export interface SecondFactorPage extends FormProblem {
  readonly action: string
  readonly csrf: string
  /** What the code is of; `passkey` where none is asked for. */
  readonly factor: 'totp' | 'recovery_code' | 'passkey'
  readonly account: string
  /** Where somebody else signs in. */
  readonly switchUrl: string
  readonly client?: PageClient
  readonly passkey?: PagePasskey
  /** What else it can be proven by. */
  readonly ways: readonly { readonly factor: 'totp' | 'recovery_code'; readonly url: string }[]
  readonly cancelAction?: string
  readonly cancelCsrf?: string
}

/** Posts `csrf`, `code` to `action`; `cancelCsrf` as `csrf` to `cancelAction`. Its field error is `code`. */
export interface EnrolTotpPage extends FormProblem {
  readonly action: string
  readonly csrf: string
  readonly account: string
  readonly client?: PageClient
  /** The seed in groups of four. */
  readonly secret: string
  /** The `otpauth:` address. */
  readonly uri: string
  readonly qr: { readonly size: number; readonly path: string }
  readonly cancelAction?: string
  readonly cancelCsrf?: string
}

/** Posts `csrf`, `kept` and `saved=yes` to `action`. Its field error is `saved`. */
export interface RecoveryCodesPage extends FormProblem {
  readonly action: string
  readonly csrf: string
  /** The codes, sealed for this page alone. */
  readonly kept?: string
  readonly codes: readonly string[]
}

/** A scope; without a title the catalogue's words or the name. */
export interface PageScope {
  readonly name: string
  readonly title?: string | undefined
  readonly detail?: string
}

/** What a client asks for, or was given. */
export interface PageAccess {
  readonly scopes: readonly PageScope[]
  readonly resources: readonly { readonly name: string; readonly scopes: readonly PageScope[] }[]
  /** Whether it keeps this while the person is away. */
  readonly offline: boolean
}

/** What there are words for, as `error.<kind>.heading` and `error.<kind>.message`. */
export type ErrorKind =
  | 'invalid_client'
  | 'invalid_redirect_uri'
  | 'invalid_request'
  | 'invalid_sign_out'
  | 'access_denied'
  | 'temporarily_unavailable'
  | 'server_error'
  | 'refused'
  | 'link_expired'
  | 'link_elsewhere'
  | 'link_used'

/** Tells the Problem under the heading where one is given. */
export interface ErrorPage extends FormProblem {
  readonly kind: ErrorKind
  /** For developers; give it in development only. */
  readonly detail?: string
  readonly client?: PageClient
  readonly homeUrl?: string
}

/** Says that an interaction is over. */
export interface ExpiredPage {
  /** Where the sign-in starts again: the client's `initiate_login_uri` or home page. */
  readonly startUrl?: string
}

/** Says that there is nothing at an address. */
export interface NotFoundPage {
  readonly homeUrl?: string
}

/** Lists every page in every state. */
export interface GalleryPage {
  readonly gallery: readonly { readonly name: string; readonly states: readonly { readonly name: string; readonly url: string }[] }[]
}

/** View name to the type of its locals. */
export interface PageLocals extends AccountLocals, ConsentPageLocals, EnginePageLocals, ProofPageLocals {
  readonly identifier: IdentifierPage
  readonly password: PasswordPage
  readonly 'second-factor': SecondFactorPage
  readonly 'enrol-totp': EnrolTotpPage
  readonly 'recovery-codes': RecoveryCodesPage
  readonly 'post-on': PostOnPage
  readonly error: ErrorPage
  readonly expired: ExpiredPage
  readonly 'not-found': NotFoundPage
  readonly gallery: GalleryPage
}

/** The name of a view. */
export type PageName = keyof PageLocals

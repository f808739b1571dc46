/** What each page of the account centre needs to be shown. Every form posts `csrf` beside what is said. */
import type { ShownAgents } from './account-agents-locals.ts'
import { type AccountInvitationPage, type AccountLinkLocals, accountLinkLocalNames } from './account-link-locals.ts'
import type { FormProblem, PageAccess, PageClient, PageConnection } from './page-locals.ts'

/** What every page of the account centre needs. */
export interface AccountPage extends FormProblem {
  readonly csrf: string
  /** What was just done: a key under `account.done`. */
  readonly done?: string
  /** How many requests wait for an answer. */
  readonly waiting?: number
  /** Nobody may have agents of their own. */
  readonly withoutAgents?: boolean
}

/** Posts `name` and `locale` to `/account/profile`. */
export interface AccountProfilePage extends AccountPage {
  readonly name?: string
  readonly email: string
  readonly isEmailVerified: boolean
  /** The chosen language; empty for what the browser says. */
  readonly locale?: string
  readonly locales: readonly { readonly tag: string; readonly name: string }[]
}

/** Posts `current_password` and `new_password` to `/account/password`. */
export interface AccountPasswordPage extends AccountPage {
  readonly username: string
  readonly hasPassword: boolean
  readonly minLength: number
}

/** Posts `email` to `/account/email`. */
export interface AccountEmailPage extends AccountPage {
  readonly email: string
  /** Whether the present address is asked too. */
  readonly isEmailVerified: boolean
  /** What was typed and not taken. */
  readonly newEmail?: string | undefined
}

/** A session as its owner sees it; times in milliseconds. */
export interface PageSession {
  readonly id: string
  /** What the browser is called, on what system. */
  readonly device: string
  readonly ip?: string
  readonly isApi: boolean
  readonly isCurrent: boolean
  readonly seenAt: number
  readonly startedAt: number
}

/** Posts `session` (an id, or `others`) to `/account/sessions`. */
export interface AccountSessionsPage extends AccountPage {
  readonly sessions: readonly PageSession[]
}

/** Posts `client`, and `organization` where it is for one, to `/account/apps`. */
export interface AccountAppsPage extends AccountPage {
  readonly apps: readonly (PageAccess & {
    readonly id: string
    readonly client: PageClient
    readonly organization?: { readonly id: string; readonly name: string } | undefined
    readonly grantedAt: number
  })[]
}

/** Posts `organization` to `/account/organizations`. */
export interface AccountOrganizationsPage extends AccountPage {
  readonly organizations: readonly { readonly id: string; readonly name: string; readonly role: string }[]
}

/** Posts `request` (an id) and `decision` (`approve` or `deny`) to `/account/requests`. Times in milliseconds. */
export interface AccountRequestsPage extends AccountPage {
  readonly requests: readonly (PageAccess & {
    readonly id: string
    readonly client: PageClient
    readonly organization?: string
    /** What the client says to be seen in both places. */
    readonly message?: string
    readonly ip?: string
    readonly askedAt: number
    readonly expiresAt: number
  })[]
}

/** Posts `confirm` (the address) to `/account/data`; the download is `/account/data/export`. */
export interface AccountDataPage extends AccountPage {
  readonly email: string
}

/** Posts `remove` (an id), `rename` (an id) and `label`, or `codes=new`, to `/account/security`. Times in milliseconds. */
export interface AccountSecurityPage extends AccountPage {
  readonly factors: readonly { readonly id: string; readonly name: string; readonly kind: string; readonly createdAt: number }[]
  readonly hasCodes: boolean
  readonly codesLeft: number
  /** The passkey whose new name was not taken, and that name. */
  readonly renaming?: string
  readonly label?: string
  /** Where the script goes on that made a passkey. */
  readonly enrolledUrl: string
}

/** Posts `unlink` (an id) or `connection` (an id) to `/account/identities`. Times in milliseconds. */
export interface AccountIdentitiesPage extends AccountPage {
  readonly identities: readonly {
    readonly id: string
    readonly name: string
    readonly mark?: string | undefined
    readonly organization?: string | undefined
    /** What the account there is known by. */
    readonly account?: string
    readonly usedAt: number
  }[]
  readonly connections: readonly PageConnection[]
}

/** Posts `agent_name` and `redirect_uris`, `rename` (an id) and `label`, `renew`, `disable` or `remove` (an id) to `/account/agents`. Times in milliseconds. */
export interface AccountAgentsPage extends AccountPage, ShownAgents {}

/** Posts `saved=yes` to `/account/recovery-codes`. Its field error is `saved`. */
export interface AccountRecoveryCodesPage extends AccountPage {
  readonly codes: readonly string[]
}

/** Posts `enrolment`, `code`, or `another=yes`, to `/account/authenticator`. */
export interface AccountAuthenticatorPage extends AccountPage {
  readonly enrolment: string
  readonly account: string
  /** The seed in groups of four. */
  readonly secret: string
  /** The `otpauth:` address. */
  readonly uri: string
  readonly qr: { readonly size: number; readonly path: string }
}

/** View name to the type of its locals. */
export interface AccountLocals extends AccountLinkLocals {
  readonly 'account-profile': AccountProfilePage
  readonly 'account-password': AccountPasswordPage
  readonly 'account-email': AccountEmailPage
  readonly 'account-security': AccountSecurityPage
  readonly 'account-identities': AccountIdentitiesPage
  readonly 'account-recovery-codes': AccountRecoveryCodesPage
  readonly 'account-authenticator': AccountAuthenticatorPage
  readonly 'account-sessions': AccountSessionsPage
  readonly 'account-apps': AccountAppsPage
  readonly 'account-agents': AccountAgentsPage
  readonly 'account-requests': AccountRequestsPage
  readonly 'account-organizations': AccountOrganizationsPage
  readonly 'account-data': AccountDataPage
  readonly 'account-invitation': AccountInvitationPage
}

type Names = { readonly [View in keyof AccountLocals]: Readonly<Record<keyof Required<AccountLocals[View]>, true>> }

const common = { problem: true, csrf: true, done: true, waiting: true, withoutAgents: true } as const

/** The names of each page's locals; the compiler holds them equal to the types. */
export const accountLocalNames: Names = {
  'account-profile': { ...common, name: true, email: true, isEmailVerified: true, locale: true, locales: true },
  'account-password': { ...common, username: true, hasPassword: true, minLength: true },
  'account-email': { ...common, email: true, isEmailVerified: true, newEmail: true },
  'account-security': { ...common, factors: true, hasCodes: true, codesLeft: true, renaming: true, label: true, enrolledUrl: true },
  'account-identities': { ...common, identities: true, connections: true },
  'account-recovery-codes': { ...common, codes: true },
  'account-authenticator': { ...common, enrolment: true, account: true, secret: true, uri: true, qr: true },
  'account-sessions': { ...common, sessions: true },
  'account-apps': { ...common, apps: true },
  'account-agents': { ...common, agents: true, made: true, renaming: true, typed: true },
  'account-requests': { ...common, requests: true },
  'account-organizations': { ...common, organizations: true },
  'account-data': { ...common, email: true },
  'account-invitation': { ...common, invitation: true, organization: true, role: true, invited: true, email: true, isYours: true },
  ...accountLinkLocalNames,
}

// The words of this entrance: an interaction as its pages need it, and what all of them do alike.
import type { Context } from 'koa'
import type { EmailCode } from '../authentication/email-code.ts'
import type { EmailVerification } from '../authentication/email-verification.ts'
import type { Proofs } from '../authentication/proofs.ts'
import type { ProvenSignUp } from '../authentication/proven-sign-up.ts'
import type { Recovery } from '../authentication/recovery.ts'
import type { SignIn } from '../authentication/sign-in.ts'
import type { FindLook } from '../clients/branding.ts'
import type { FindConnectionRule } from '../clients/connection-rule.ts'
import type { Connections } from '../connectors/connections.ts'
import type { HomeRealm } from '../connectors/home-realm.ts'
import type { Upstream } from '../connectors/upstream.ts'
import type { UpstreamSigned, UpstreamSignIn } from '../connectors/upstream-sign-in.ts'
import type { Passkeys } from '../mfa/passkeys.ts'
import type { RecoveryCodes } from '../mfa/recovery-codes.ts'
import type { SecondFactor } from '../mfa/second-factor.ts'
import type { Totps } from '../mfa/totp.ts'
import type { Memberships } from '../organizations/memberships.ts'
import type { PageLanguage } from '../pages/page-language.ts'
import type { Present } from '../pages/present.ts'
import type { ShowAccess } from '../pages/shown-access.ts'
import type { Actor } from '../platform/actor.ts'
import { Problem } from '../platform/errors.ts'
import { requestOf } from '../platform/http/asker.ts'
import type { FormTokens } from '../platform/http/form.ts'
import type { Log } from '../platform/log.ts'
import type { Secrets } from '../platform/secrets.ts'
import type { Users } from '../users/users.ts'
import type { IdentifierCookie } from './identifier-cookie.ts'
import type { KnownDevices } from './known-device.ts'
import type { SignUpGate } from './sign-up-gate.ts'

/** An interaction as the pages need it; the protocol's entrance gives these. */
export interface Interaction {
  readonly uid: string
  readonly prompt: string
  readonly clientId: string
  /** Absent where it is the account centre: pages speak of the product then. */
  readonly client?:
    | { readonly name: string; readonly logoUrl?: string; readonly origin?: string; readonly policyUrl?: string; readonly termsUrl?: string }
    | undefined
  readonly loginHint?: string
  /** The connection that the client leads to: its id, or that of a connector. */
  readonly connectionHint?: string
  /** Whether the client asks for a sign-in of the last minutes. */
  readonly isFreshAsked: boolean
  readonly accountId?: string
  /** Who is signed in and is to sign in again. */
  readonly againId?: string
  readonly asked: { readonly scopes: readonly string[]; readonly claims: readonly string[]; readonly resources: Readonly<Record<string, readonly string[]>> }
  /** What is asked in particular, field by field. */
  readonly details: readonly {
    readonly title: string
    readonly resource: string
    readonly fields: readonly { readonly label: string; readonly value: string | boolean }[]
  }[]
  /** The name of the organization that consent is asked for. */
  readonly organization?: string
  readonly hasOfflineAccess: boolean
  /** Where the request is made once more, where the browser can do that. */
  readonly repeatedBy?: string
}

/** How far a sign-in is in which something was proven. */
export interface Progress {
  readonly userId: string
  readonly next?: 'second_factor' | 'enrolment'
  readonly enrolmentId?: string
  readonly areCodesDue: boolean
  /** The session that goes on, or when they proved themselves in this sign-in. */
  readonly actsBy: Pick<Actor, 'sessionId' | 'provenAt'>
}

/** What was proven first; `authenticatedAt` is when, where another provider did not ask again, and `askedAt` what sensitive things go by. */
export interface FirstProof extends Partial<Pick<UpstreamSigned, 'identityId' | 'confinedTo'>> {
  readonly accountId: string
  readonly amr: readonly string[]
  readonly isRemembered: boolean
  readonly at: Date
  readonly authenticatedAt?: Date
  readonly askedAt?: Date
  readonly challengeId?: string
}

/** What the protocol's entrance does for the pages; each answers the address where the authorization goes on. */
export interface Interactions {
  get(ctx: Context): Promise<Interaction>
  /** Takes the first proof of a sign-in; the policy says what is missing, and so where it goes on. */
  finishLogin(ctx: Context, proof: FirstProof): Promise<string>
  getProgress(ctx: Context): Promise<Progress | undefined>
  /** Where the sign-in is by now, also when it is whole; `undefined` where nothing was proven, or not by this challenge. */
  findPlace(ctx: Context, by?: { readonly challengeId: string }): Promise<string | undefined>
  findStartUrl(clientId: string): Promise<string | undefined>
  goOn(ctx: Context): Promise<string>
  addFactor(ctx: Context, factor: { userId: string; amr: readonly string[]; at: Date; isEnrolled?: boolean }): Promise<string>
  noteEnrolment(ctx: Context, enrolmentId: string): Promise<void>
  codesSeen(ctx: Context): Promise<string>
  /** Takes the organization that the person chose, one of theirs. */
  chooseOrganization(ctx: Context, organizationId: string): Promise<string>
  finishConsent(ctx: Context, actor: Actor): Promise<string>
  refuse(ctx: Context, actor: Actor): Promise<string>
}

/** What people are offered: what needs mail only where mail can be sent. */
export interface Offers {
  readonly password: boolean
  readonly emailCode: boolean
  /** Whether everybody may make an account, or only who is invited. */
  readonly signUp: 'everybody' | 'invited' | 'nobody'
  /** The same of those whom another provider vouches for: that needs neither mail nor passwords. */
  readonly upstreamSignUp: 'everybody' | 'invited'
  readonly recovery: boolean
}

/** What the pages need. */
export interface PageNeeds {
  readonly interactions: Interactions
  readonly signIn: SignIn
  readonly passkeys: Passkeys
  readonly proofs: Proofs
  readonly emailCode: EmailCode
  readonly emailVerification: EmailVerification
  readonly provenSignUp: ProvenSignUp
  readonly recovery: Recovery
  readonly showAccess: ShowAccess
  readonly users: Users
  readonly memberships: Memberships
  readonly secondFactor: SecondFactor
  readonly totps: Totps
  readonly recoveryCodes: RecoveryCodes
  readonly present: Present
  readonly pageLanguage: PageLanguage
  readonly forms: FormTokens
  readonly devices: KnownDevices
  readonly identifiers: IdentifierCookie
  readonly offers: Offers
  readonly signUpGate: SignUpGate
  readonly connections: Connections
  readonly upstream: Upstream
  readonly upstreamSignIn: UpstreamSignIn
  readonly findBrowserSession: (ctx: Context) => Promise<{ readonly userId: string } | undefined>
  readonly findConnectionForAddress: HomeRealm['findConnectionForAddress']
  readonly isDomainProvenBy: HomeRealm['isDomainProvenBy']
  /** Whose pages a client's are. */
  readonly findConnectionRule: FindConnectionRule
  readonly findLook: FindLook
  readonly log: Log
  readonly passwordMinLength: number
  readonly secrets: Secrets
  readonly issuer: string
  readonly isSecure: boolean
  readonly now: () => Date
}

/** What a form is bound to that acts for somebody: whoever is named in another tab of the interaction meanwhile, it acts for nobody else. */
export const boundTo = ({ uid }: Pick<Interaction, 'uid'>, whom: string): string => `${uid}\0${whom}`

/** Who is asking on a page before they signed in, and in which language, where a mail may come of it. */
export const visitor = (ctx: Context, language?: { readonly tag: string }): Actor => ({
  kind: 'anonymous',
  permissions: new Set(),
  ...requestOf(ctx),
  language: language?.tag,
})

/** Who is asking on a page after the first proof. */
export const actingAs = (ctx: Context, { userId, actsBy }: Pick<Progress, 'userId' | 'actsBy'>, language?: { readonly tag: string }): Actor => ({
  ...visitor(ctx, language),
  ...actsBy,
  kind: 'user',
  id: userId,
  userId,
})

/** Whether an error is one that the page it came from shows. */
export const isShownOnPage = (error: unknown): error is Problem => error instanceof Problem && shownOnPage.has(error.code)

const shownOnPage: ReadonlySet<string> = new Set([
  'validation_failed',
  'invalid_credentials',
  'too_many_attempts',
  'too_many_mails',
  'busy',
  'csrf_mismatch',
  'code_wrong',
  'invalid_code',
  'proof_expired',
  'passkey_refused',
  'passkey_unknown',
  'upstream_refused',
  'upstream_cannot_again',
  'upstream_answer_invalid',
  'upstream_unavailable',
  'upstream_unlinked',
  'upstream_confined',
  'connection_gone',
  'organization_gone',
])

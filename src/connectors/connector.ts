// The words of a connector: a kind of upstream identity provider, asked who somebody is. One file a kind.
import type { z } from 'zod'

/** Who somebody is to an upstream provider, as one verified answer of it says. */
export interface UpstreamIdentity {
  /** Text that is not empty, and never reassigned: with the connection it is the key. */
  readonly subject: string
  readonly email?: string
  /** Whether the provider says, in the same document as the address, that it proved it: the boolean `true`, nothing else. */
  readonly isEmailVerified: boolean
  /** The domain of the address, where the provider itself is entitled to speak for it, such as Google for gmail.com and for its `hd`. */
  readonly authoritativeDomain?: string
  readonly name?: string
  /** An https address. */
  readonly picture?: string
  /** Whatever else it told, to be kept; replaced whole at each sign-in. Never a token. */
  readonly claims: Readonly<Record<string, unknown>>
  /** All that it told, tokens too, where that is more than what is kept: to be read now, and kept nowhere. */
  readonly told?: Readonly<Record<string, unknown>>
  /** When the person proved themselves there, where the provider says so. */
  readonly authenticatedAt?: Date
}

/** A connection as its connector sees it. */
export interface Configured<Settings = unknown, Secrets = unknown> {
  readonly connectionId: string
  readonly settings: Settings
  readonly secrets: Secrets
  /** Where the provider answers: one address a connection, so that answers of different providers are never mixed up (RFC 9700 §4.4). */
  readonly callbackUrl: string
  /** What we are called to a SAML provider, and where it reads of us. */
  readonly entityId: string
}

/** What a sign-in is begun with. */
export interface Wish {
  /** Unguessable and ours: `state`, or `RelayState`. */
  readonly state: string
  readonly loginHint?: string
  /** Whether the person has to prove themselves again there. */
  readonly isAgain: boolean
}

/** How it goes on: the browser is sent to an address, or posts a form to one. `kept` is needed at the end, and is stored sealed until then. */
export interface Begun {
  readonly redirectUrl?: URL
  readonly form?: { readonly action: string; readonly fields: Readonly<Record<string, string>> }
  readonly kept: Readonly<Record<string, string>>
}

/** The answer of the provider, as the browser brought it to the callback. */
export interface Answer {
  readonly method: 'GET' | 'POST'
  /** What stood behind the question mark, as it was written, without it. */
  readonly query: string
  /** The body of a POST, as it was written: `application/x-www-form-urlencoded`. */
  readonly body?: string
}

/** One thing that a test of a connection looked at. `detail` is a sentence for its administrator, and tells nothing of a network. */
export interface Finding {
  readonly check: string
  readonly isGood: boolean
  readonly detail?: string
  /** For the log alone. */
  readonly cause?: unknown
}

/** A kind of upstream provider: one file, one line in the list, one row of the tests. */
export interface Connector<Settings = unknown, Secrets = unknown> {
  /** What it is called in the API, such as `google`. */
  readonly id: string
  /** What its button says where the connection has no name of its own. */
  readonly name: string
  /** What an administrator sets, and is told. */
  readonly settings: z.ZodType<Settings>
  /** What an administrator sets, and is never told. */
  readonly secrets: z.ZodType<Secrets>
  /**
   * What subjects are unique within, and secrets are given for, compared whole: the issuer. Where settings change it, the secrets are asked
   * for again, and nobody stays linked.
   */
  authorityOf(settings: Settings): string
  /** The authority that its brand is known for; absent: it has none. */
  readonly brandAuthority?: string | undefined
  /** Throws `upstream_unavailable`, and `upstream_cannot_again` where its people cannot be made to prove themselves again, though wished. */
  begin(connection: Configured<Settings, Secrets>, wish: Wish): Promise<Begun>
  /**
   * Throws `upstream_refused` where the person or the provider said no, `upstream_unavailable`, and `upstream_answer_invalid` for all else; its
   * cause is for the log alone.
   */
  complete(
    connection: Configured<Settings, Secrets>,
    answered: Wish & { readonly kept: Readonly<Record<string, string>>; readonly answer: Answer },
  ): Promise<UpstreamIdentity>
  /** Looks whether the provider can be asked, without a person. Throws nothing that is the provider's fault. */
  test(connection: Configured<Settings, Secrets>): Promise<readonly Finding[]>
  /** What the provider has to be told of us, as a document to read (SAML metadata). */
  describe?(connection: Configured<Settings, Secrets>): { readonly type: string; readonly body: string }
  /** Makes settings of a document of the provider's (SAML metadata). Throws `validation_failed`. */
  readSettings?(document: string): Settings
}

/** What every connector is made with. */
export interface ConnectorNeeds {
  /** Goes to public addresses alone, follows no redirect, and bounds size and time. */
  readonly fetch: typeof fetch
  readonly now: () => Date
  readonly randomBytes: (size: number) => Buffer
  /** Notes the id of an assertion; `false` where it was noted before, by whatever process, and has not expired since. */
  readonly acceptOnce: (id: { readonly connectionId: string; readonly assertionId: string; readonly until: Date }) => Promise<boolean>
}

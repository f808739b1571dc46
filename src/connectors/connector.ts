// The words of this slice: a connector is a kind of upstream identity provider, a connection is one that was configured, an identity is what it knows of a user.
import type { z } from 'zod'

/** Who somebody is to an upstream provider, as one verified answer of it says. */
export interface UpstreamIdentity {
  /** Text that is not empty, and never reassigned: with the connection it is the key. */
  readonly subject: string
  readonly email?: string
  /** Whether the provider says, in the same document as the address, that it proved it. */
  readonly isEmailVerified: boolean
  /** The domain for which the provider itself is entitled to say so, such as Google's `hd`; absent where it is entitled to none. */
  readonly authoritativeDomain?: string
  readonly name?: string
  readonly picture?: string
  /** Whatever else it told, to be mapped to roles and kept; replaced whole at each sign-in. */
  readonly claims: Readonly<Record<string, unknown>>
  /** How the person proved themselves there, where the provider says so (RFC 8176). */
  readonly amr: readonly string[]
  readonly authenticatedAt?: Date
}

/** What a connector needs to begin. */
export interface Beginning<Settings> {
  readonly settings: Settings
  /** Where the provider answers: one address a connection, so that answers of different providers are never mixed up (RFC 9700 §4.4). */
  readonly callbackUrl: string
  /** Unguessable and ours: `state`, or `RelayState`. */
  readonly state: string
  readonly loginHint?: string
  /** Whether the person has to prove themselves again there. */
  readonly isAgain: boolean
}

/** How it goes on: the browser is sent, or posts a form; `kept` is needed at the end, and is stored sealed until then. */
export interface Begun {
  readonly redirectUrl?: URL
  readonly form?: { readonly action: string; readonly fields: Readonly<Record<string, string>> }
  readonly kept: Readonly<Record<string, string>>
}

/** The answer of the provider, as the browser brought it. */
export interface Answer {
  readonly url: URL
  /** The body of a POST binding. */
  readonly form?: Readonly<Record<string, string>>
}

/** A kind of upstream provider: one file, one line in the list, one row of the tests. */
export interface Connector<Settings = unknown, Secrets = unknown> {
  readonly id: string
  readonly name: string
  /** What an administrator sets, and is told. */
  readonly settings: z.ZodType<Settings>
  /** What an administrator sets, and is never told. Bound to the settings' hosts: where one changes they are asked again. */
  readonly secrets: z.ZodType<Secrets>
  /** Throws `upstream_unavailable` and `upstream_misconfigured`. */
  begin(beginning: Beginning<Settings> & { readonly secrets: Secrets }): Promise<Begun>
  /** Throws `upstream_refused` where the person or the provider said no, and `upstream_answer_invalid` with its reason, for the log alone. */
  complete(
    answer: Answer,
    begun: Beginning<Settings> & { readonly secrets: Secrets; readonly kept: Readonly<Record<string, string>> },
  ): Promise<UpstreamIdentity>
}

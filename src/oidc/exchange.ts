// The words of token exchange (RFC 8693): what is asked, what is presented, and what a grant that an exchange made remembers.
import type { AccessToken, ClientCredentials, Grant } from 'oidc-provider'
import { z } from 'zod'
import type { Registration } from '../clients/client.ts'
import { event } from '../platform/data/change.ts'
import type { Lineage, Link } from './lineage.ts'

/** The token types that we know of (§3). */
export const tokenTypes = {
  accessToken: 'urn:ietf:params:oauth:token-type:access_token',
  jwt: 'urn:ietf:params:oauth:token-type:jwt',
} as const

/** The parameters of the grant (§2.1); those that may be there more than once. */
export const exchangeParameters = [
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
  'resource',
  'audience',
  'scope',
  'organization',
] as const
export const repeatable = ['resource', 'audience'] as const

/** The events of exchanges. */
export const exchangeEvents = {
  'token.exchanged': event('grant', {
    client_id: z.string(),
    subject_client_id: z.string(),
    user_id: z.string(),
    actor: z.string().optional(),
    audience: z.string().optional(),
    scope: z.string(),
  }),
}

/** A party of a delegation (§4.1): the most recent actor, and within it those before. */
export interface Actor {
  readonly sub: string
  readonly client_id?: string
  readonly act?: Actor
}

/** What the grant of an exchanged token remembers. */
export interface Exchanged {
  readonly lineage: Lineage
  /** By resource server, the most that any later token of this descent may have there. */
  readonly ceilings: Readonly<Record<string, string>>
  /** The organizations of the clients that it passed through. */
  readonly organizations: readonly string[]
}

/** A token that was presented and stands. */
export interface Presented {
  readonly token: AccessToken | ClientCredentials
  /** Absent: the token is the client's own. */
  readonly grant?: Grant
  /** The client that it was issued to. */
  readonly client: Registration
  readonly link: Link
}

/** What is issued for it. */
export interface Issue {
  /** The resource server; absent: the token is for userinfo. */
  readonly target?: string
  readonly scope: string
  readonly organizationId?: string
}

// The words of this slice: an OAuth client, how it authenticates, and what is told of it.
import { z } from 'zod'
import { event } from '../platform/data/change.ts'

/** How a client authenticates at the token endpoint (OpenID Connect Core §9, RFC 7591). */
export type ClientAuthenticationMethod = 'client_secret_basic' | 'client_secret_post' | 'client_secret_jwt' | 'private_key_jwt' | 'none'

/** Client metadata under its registered names (RFC 7591 §2). */
export type ClientMetadata = Readonly<Record<string, unknown>>

/** What a new client is made of. */
export interface NewClient {
  readonly clientId: string
  readonly name: string
  readonly organizationId?: string
  readonly isFirstParty?: boolean
  readonly authenticationMethod: ClientAuthenticationMethod
  readonly grantTypes: readonly string[]
  readonly redirectUris?: readonly string[]
  readonly postLogoutRedirectUris?: readonly string[]
  readonly isPkceRequired?: boolean
  readonly refreshGraceSeconds?: number
  /** Further registered metadata, under its registered names. */
  readonly metadata?: ClientMetadata
  /** Absent: one is made for methods that need one. */
  readonly secret?: string
}

/** One secret of a client, as it is kept. */
export interface KeptSecret {
  readonly digest?: Buffer
  readonly sealed?: string
  readonly expiresAt?: Date
}

/** A client as the protocol needs it. The same object for as long as the client does not change. */
export interface Registration {
  readonly clientId: string
  readonly version: number
  readonly organizationId?: string
  readonly isFirstParty: boolean
  readonly isPkceRequired: boolean
  readonly refreshGraceSeconds: number
  /** Registered metadata; `client_secret` is the true one only for `client_secret_jwt`, else a stand-in nobody can guess. */
  readonly metadata: ClientMetadata
  readonly secrets: readonly KeptSecret[]
}

const shape = { client_id: z.string(), name: z.string() }

/** The events of this slice. */
export const clientEvents = {
  'client.created': event('client', shape),
  'client.registered': event('client', shape),
  'client.updated': event('client', shape),
  'client.deleted': event('client', shape),
  'resource_server.created': event('resource_server', { identifier: z.string() }),
}

/** Whether the method proves possession of a shared secret. */
export const needsSecret = (method: string): boolean => method.startsWith('client_secret_')

// The words of this slice: an OAuth client, how it authenticates, and what is told of it.
import { z } from 'zod'
import type { BrandingSettings } from '../platform/branding-settings.ts'
import { event } from '../platform/data/change.ts'
import type { SecurityProfile } from './security-profile.ts'
import type { TokenExchangePolicy } from './token-exchange.ts'

/** How a client authenticates at the token endpoint (OpenID Connect Core §9, RFC 7591, RFC 8705). */
export type ClientAuthenticationMethod =
  | 'client_secret_basic'
  | 'client_secret_post'
  | 'client_secret_jwt'
  | 'private_key_jwt'
  | 'tls_client_auth'
  | 'self_signed_tls_client_auth'
  | 'none'

/** Whose word a client is: an administrator's, that of who had an initial access token, anybody's, that of its own metadata document, or that of the person who made it for themselves. */
export type ClientSource = 'operator' | 'token' | 'open' | 'document' | 'person'

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
  /** Absent: `code` where it redeems one. */
  readonly responseTypes?: readonly string[]
  readonly redirectUris?: readonly string[]
  readonly postLogoutRedirectUris?: readonly string[]
  readonly isPkceRequired?: boolean
  /** `null`: none. */
  readonly securityProfile?: SecurityProfile | null
  readonly refreshGraceSeconds?: number
  /** What it may do on the management API for itself. */
  readonly apiPermissions?: readonly string[]
  /** Whose tokens it may exchange; `null`: nobody's. */
  readonly tokenExchange?: TokenExchangePolicy | null
  /** Further registered metadata, under its registered names. */
  readonly metadata?: ClientMetadata
  readonly branding?: BrandingSettings
  /** The connections that its pages offer; `null`: all that apply. */
  readonly connections?: readonly string[] | null
  /** Whether whoever is no member of its organization is refused. */
  readonly isMembersOnly?: boolean
  /** Whether it acts for people under a name of its own; it has an owner or an organization, and is never first-party. */
  readonly isAgent?: boolean
  /** Whose agent it is. */
  readonly ownerUserId?: string
  /** Absent: one is made for methods that need one. */
  readonly secret?: string
}

/** One secret of a client, as it is kept. */
export interface KeptSecret {
  readonly digest?: Buffer
  /** The secret itself, where it signs. */
  readonly plain?: string
  readonly expiresAt?: Date
}

/** A client as its administrators see it: never a secret, only what tells secrets apart. */
export interface Client {
  readonly id: string
  readonly clientId: string
  readonly organizationId?: string
  readonly source: ClientSource
  readonly name: string
  readonly isFirstParty: boolean
  readonly authenticationMethod: string
  readonly grantTypes: readonly string[]
  readonly responseTypes: readonly string[]
  readonly redirectUris: readonly string[]
  readonly postLogoutRedirectUris: readonly string[]
  readonly isPkceRequired: boolean
  readonly securityProfile?: SecurityProfile
  readonly refreshGraceSeconds: number
  readonly apiPermissions: readonly string[]
  /** Whose tokens it may exchange; absent: nobody's. */
  readonly tokenExchange?: TokenExchangePolicy
  readonly metadata: ClientMetadata
  readonly branding: BrandingSettings
  /** The connections that its pages offer; absent: all that apply. */
  readonly connections?: readonly string[]
  readonly isMembersOnly: boolean
  readonly isAgent: boolean
  readonly ownerUserId?: string
  readonly secrets: readonly ClientSecret[]
  readonly isDisabled: boolean
  readonly version: number
  readonly createdAt: Date
  readonly updatedAt: Date
  /** When an agent of a person last got a token, to the minute. */
  readonly lastUsedAt?: Date
  /** Only of one that can be restored. */
  readonly deletedAt?: Date
}

/** One secret of a client, as its administrators see it. */
export interface ClientSecret {
  readonly id: string
  /** The last four characters. */
  readonly hint: string
  readonly createdAt: Date
  readonly expiresAt?: Date
}

/** What of a client may be changed. */
export interface ClientChanges {
  readonly name?: string
  readonly isFirstParty?: boolean
  readonly authenticationMethod?: ClientAuthenticationMethod
  readonly grantTypes?: readonly string[]
  readonly responseTypes?: readonly string[]
  readonly redirectUris?: readonly string[]
  readonly postLogoutRedirectUris?: readonly string[]
  readonly isPkceRequired?: boolean
  /** `null`: none. */
  readonly securityProfile?: SecurityProfile | null
  readonly refreshGraceSeconds?: number
  readonly apiPermissions?: readonly string[]
  /** Replaces all of it; `null`: none. */
  readonly tokenExchange?: TokenExchangePolicy | null
  /** Replaces all of it. */
  readonly metadata?: ClientMetadata
  /** Replaces all of it. */
  readonly branding?: BrandingSettings
  /** Replaces all of them; `null`: all that apply. */
  readonly connections?: readonly string[] | null
  readonly isMembersOnly?: boolean
  /** Whose agent it is to be, of one that an organization has. */
  readonly ownerUserId?: string
  readonly isDisabled?: boolean
}

/** Throws `validation_failed` for metadata that the protocol's engine would not take. */
export type CheckMetadata = (metadata: ClientMetadata & { readonly client_id: string }) => void

/** A client as the protocol needs it. The same object for as long as the client does not change. */
export interface Registration {
  readonly clientId: string
  readonly version: number
  readonly organizationId?: string
  readonly source: ClientSource
  readonly isFirstParty: boolean
  readonly isPkceRequired: boolean
  readonly securityProfile?: SecurityProfile
  readonly refreshGraceSeconds: number
  readonly apiPermissions: readonly string[]
  /** Whose tokens it may exchange; absent: nobody's. */
  readonly tokenExchange?: TokenExchangePolicy
  /** Registered metadata; `client_secret` is the true one only for `client_secret_jwt`, else a stand-in nobody can guess. */
  readonly metadata: ClientMetadata
  readonly branding: BrandingSettings
  /** The connections that its pages offer; absent: all that apply. */
  readonly connections?: readonly string[]
  /** Whether whoever is no member of its organization is refused. */
  readonly isMembersOnly: boolean
  readonly isAgent: boolean
  /** Whether it is a part of the system itself: pages speak of the product then, and name no client. */
  readonly isBuiltIn?: boolean
  /** Whose agent it is. */
  readonly ownerUserId?: string
  /** When all that it held ended; what it was issued before counts no more. */
  readonly accessEndedAt?: Date
  readonly secrets: readonly KeptSecret[]
}

const shape = { client_id: z.string(), name: z.string() }

/** The events of this slice. */
export const clientEvents = {
  'client.created': event('client', shape),
  'client.registered': event('client', shape),
  'client.updated': event('client', shape),
  'client.deleted': event('client', shape),
  'client.access_ended': event('client', shape),
  'client.owner_changed': event('client', { ...shape, owner_user_id: z.string().optional(), previous_owner_user_id: z.string().optional() }),
  'client.restored': event('client', shape),
  'client.document_refused': event('client', shape),
  'client.purged': event('client', { client_id: z.string() }),
  'client.secret_created': event('client', { ...shape, secret_id: z.string(), hint: z.string() }),
  'client.secret_revoked': event('client', { ...shape, secret_id: z.string(), hint: z.string() }),
}

/** Whether the method proves possession of a shared secret. */
export const needsSecret = (method: string): boolean => method.startsWith('client_secret_')

/** Whether anybody but the client itself says that it is what it says. */
export const isVouchedFor = (source: ClientSource): boolean => source === 'operator' || source === 'token'

/** The source as it is kept. */
export const toSource = (kept: string): ClientSource => (['token', 'open', 'document', 'person'] as const).find(source => source === kept) ?? 'operator'

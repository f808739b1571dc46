// The registered metadata of clients beyond what has a column, as the API takes them (RFC 7591 §2).
import { z } from 'zod'
import { text } from '../platform/http/text.ts'
import type { ClientMetadata } from './client.ts'
import { protectionFields } from './protection-fields.ts'

const uri = text(2000)
/** Several addresses. */
export const uris = z.array(uri).max(50)
const fields = {
  application_type: z.enum(['web', 'native']),
  client_uri: uri,
  initiate_login_uri: uri,
  logo_uri: uri,
  policy_uri: uri,
  tos_uri: uri,
  scope: text(1000),
  contacts: z.array(text(320)).max(20),
  jwks: z.strictObject({ keys: z.array(z.record(z.string(), z.json())).max(20) }),
  jwks_uri: uri,
  subject_type: z.enum(['public', 'pairwise']),
  sector_identifier_uri: uri,
  ...protectionFields,
  authorization_details_types: z.array(text(200)).max(20),
  default_acr_values: z.array(text(200)).max(10),
  default_max_age: z.int().min(0),
  require_auth_time: z.boolean(),
  backchannel_logout_uri: uri,
  backchannel_logout_session_required: z.boolean(),
  backchannel_token_delivery_mode: z.enum(['poll', 'ping']),
  backchannel_client_notification_endpoint: uri,
  backchannel_authentication_request_signing_alg: text(20),
}

/** Further metadata that a client may have; the engine judges the values. */
export const furtherMetadata = z.strictObject(fields).partial()

const isFurther = (name: string): boolean => name in fields

/** What of a client's kept metadata the API shows, and takes again. */
export const shownMetadata = (kept: ClientMetadata): ClientMetadata => Object.fromEntries(Object.entries(kept).filter(([name]) => isFurther(name)))

/** What of it the API neither shows nor changes, such as `client_id_issued_at` of a client that was registered (RFC 7591 §3.2.1). */
export const carriedMetadata = (kept: ClientMetadata): ClientMetadata => Object.fromEntries(Object.entries(kept).filter(([name]) => !isFurther(name)))

// What we tell a caller who can act on it: one code an error, and the one table that says how each is told.

interface Telling {
  readonly status: number
  readonly type: string
  readonly message: string
}

const table = {
  validation_failed: { status: 400, type: 'VALIDATION_ERROR', message: 'The request is not valid.' },
  malformed_body: { status: 400, type: 'VALIDATION_ERROR', message: 'The body could not be parsed.' },
  malformed_text: { status: 400, type: 'VALIDATION_ERROR', message: 'The request contains characters that text cannot have.' },
  several_hosts: { status: 400, type: 'VALIDATION_ERROR', message: 'The request names more than one host.' },
  secrets_required: {
    status: 400,
    type: 'VALIDATION_ERROR',
    message: 'These settings lead to another place, which gets no secret that was meant for the last one.',
  },
  code_wrong: { status: 400, type: 'VALIDATION_ERROR', message: 'This code is not right. Check the newest message and try again.' },
  proof_expired: { status: 400, type: 'VALIDATION_ERROR', message: 'This code or link is not valid any more. Ask for a new one.' },
  unauthenticated: { status: 401, type: 'UNAUTHORIZED', message: 'Authentication is required.' },
  invalid_credentials: { status: 401, type: 'UNAUTHORIZED', message: 'The email or password is incorrect.' },
  invalid_code: { status: 401, type: 'UNAUTHORIZED', message: 'This code is not valid, or was used already.' },
  ticket_expired: { status: 401, type: 'UNAUTHORIZED', message: 'This sign-in took too long. Begin it again.' },
  reauthentication_required: {
    status: 403,
    type: 'FORBIDDEN',
    message: 'Prove once more who you are: your last proof is too old for this, or lacks your second factor. A passkey is proven on the sign-in pages alone.',
  },
  factor_required: {
    status: 403,
    type: 'FORBIDDEN',
    message: 'A second factor is required of you. Set one up on the sign-in pages first, or sign in there with your passkey.',
  },
  second_factor_required: {
    status: 403,
    type: 'FORBIDDEN',
    message:
      'This needs a session with two factors. Prove your second one at POST /auth/reauthenticate or on the sign-in pages; whoever has none sets one up first.',
  },
  forbidden: { status: 403, type: 'FORBIDDEN', message: 'You are not allowed to do this.' },
  passwords_off: { status: 403, type: 'FORBIDDEN', message: 'Passwords are not used here.' },
  sign_up_closed: { status: 403, type: 'FORBIDDEN', message: 'New accounts are made by an administrator here.' },
  csrf_mismatch: { status: 403, type: 'FORBIDDEN', message: 'This form has expired. Reload the page and try again.' },
  passkey_refused: { status: 401, type: 'UNAUTHORIZED', message: 'This passkey could not be used. Try again, or sign in another way.' },
  passkey_unknown: { status: 401, type: 'UNAUTHORIZED', message: 'This passkey is not known here, or it was removed. Sign in another way.' },
  csrf_header_mismatch: { status: 403, type: 'FORBIDDEN', message: 'The X-CSRF-Token header is missing or wrong; GET /auth/me tells it.' },
  not_found: { status: 404, type: 'NOT_FOUND', message: 'There is nothing here.' },
  interaction_expired: { status: 404, type: 'NOT_FOUND', message: 'This sign-in took too long or was finished in another tab.' },
  link_expired: { status: 404, type: 'NOT_FOUND', message: 'This link has expired or was used already.' },
  request_gone: { status: 404, type: 'NOT_FOUND', message: 'This request was answered already, has expired, or was withdrawn.' },
  method_not_allowed: { status: 405, type: 'METHOD_NOT_ALLOWED', message: 'This method is not allowed here.' },
  wrong_address: { status: 403, type: 'FORBIDDEN', message: 'This invitation is for another email address, or yours is not verified.' },
  email_taken: { status: 409, type: 'CONFLICT', message: 'This email address is already in use.' },
  slug_taken: { status: 409, type: 'CONFLICT', message: 'This slug is already in use.' },
  client_id_taken: { status: 409, type: 'CONFLICT', message: 'This client identifier is already in use.' },
  resource_server_taken: { status: 409, type: 'CONFLICT', message: 'There is, or was, a resource server of this identifier.' },
  details_type_taken: { status: 409, type: 'CONFLICT', message: 'Another resource server has, or had, a type of authorization details of this name.' },
  too_many_agents: { status: 409, type: 'CONFLICT', message: 'You have as many agents as one may have.' },
  too_many_resource_servers: { status: 409, type: 'CONFLICT', message: 'This organization has as many resource servers as one may have.' },
  last_owner: { status: 409, type: 'CONFLICT', message: 'An organization keeps at least one owner.' },
  last_admin: { status: 409, type: 'CONFLICT', message: 'The system keeps at least one administrator.' },
  role_name_taken: { status: 409, type: 'CONFLICT', message: 'The organization has a role of this name already.' },
  role_in_use: { status: 409, type: 'CONFLICT', message: 'Somebody has this role, is invited to it, or a connection hands it out.' },
  role_built_in: { status: 409, type: 'CONFLICT', message: 'Every organization has this role; it cannot be changed.' },
  too_many_roles: { status: 409, type: 'CONFLICT', message: 'This organization has as many roles as one may have.' },
  organization_deleted: { status: 409, type: 'CONFLICT', message: 'The organization that this belongs to is deleted.' },
  member_exists: { status: 409, type: 'CONFLICT', message: 'This person is a member already.' },
  idempotency_key_reused: { status: 409, type: 'CONFLICT', message: 'This Idempotency-Key was used for another request.' },
  idempotency_key_busy: { status: 409, type: 'CONFLICT', message: 'The first request with this Idempotency-Key is still under way.' },
  mail_not_possible: { status: 409, type: 'CONFLICT', message: 'This needs mail, and no mail can be sent here: SMTP_URL is not set.' },
  connection_of_settings: { status: 409, type: 'CONFLICT', message: 'The settings of the server make this connection; it is changed there.' },
  too_many_connections: { status: 409, type: 'CONFLICT', message: 'This organization has as many connections as one may have.' },
  domain_taken: { status: 409, type: 'CONFLICT', message: 'This domain is here already, or another organization has proven it.' },
  domain_not_proven: {
    status: 409,
    type: 'CONFLICT',
    message: 'The TXT record was not found, or says something else. It may take a while until a new record is seen everywhere.',
  },
  too_many_domains: { status: 409, type: 'CONFLICT', message: 'This organization has as many domains as one may have.' },
  too_many_webhooks: { status: 409, type: 'CONFLICT', message: 'There are as many webhooks here as there may be.' },
  webhook_disabled: {
    status: 409,
    type: 'CONFLICT',
    message: 'This webhook is disabled, so nothing is sent to it. Enable it first: PATCH it with "disabled": false.',
  },
  conflict: { status: 409, type: 'CONFLICT', message: 'This conflicts with what exists.' },
  too_many_factors: { status: 409, type: 'CONFLICT', message: 'There are as many of these factors as one may have.' },
  factor_missing: { status: 409, type: 'CONFLICT', message: 'There is no second factor. Set one up first.' },
  secret_not_used: { status: 409, type: 'CONFLICT', message: 'This client does not authenticate with a secret.' },
  too_many_secrets: { status: 409, type: 'CONFLICT', message: 'This client has as many secrets as one may have.' },
  signing_key_too_young: { status: 409, type: 'CONFLICT', message: 'The next signing key was published too recently for clients to know it.' },
  passkey_taken: { status: 409, type: 'CONFLICT', message: 'This passkey is already in use.' },
  too_many_passkeys: { status: 409, type: 'CONFLICT', message: 'You have as many passkeys as one may have.' },
  precondition_failed: { status: 412, type: 'PRECONDITION_FAILED', message: 'This was changed since you read it.' },
  unsupported_precondition: {
    status: 412,
    type: 'PRECONDITION_FAILED',
    message: 'This compares no versions: send it without If-Match, or with *. Nothing was done.',
  },
  payload_too_large: { status: 413, type: 'PAYLOAD_TOO_LARGE', message: 'The body is too large.' },
  unsupported_media_type: { status: 415, type: 'UNSUPPORTED_MEDIA_TYPE', message: 'This content type is not supported here.' },
  wrong_host: { status: 421, type: 'MISDIRECTED_REQUEST', message: 'This server does not answer for that host.' },
  rate_limited: { status: 429, type: 'RATE_LIMITED', message: 'Too many requests. Try again later.' },
  too_many_attempts: { status: 429, type: 'RATE_LIMITED', message: 'Too many attempts. Try again later.' },
  too_many_mails: { status: 429, type: 'RATE_LIMITED', message: 'Too many messages. Try again later.' },
  upstream_refused: { status: 403, type: 'FORBIDDEN', message: 'The other provider did not sign you in. Try again, or sign in another way.' },
  upstream_cannot_again: { status: 403, type: 'FORBIDDEN', message: 'This provider cannot ask you to prove yourself again. Choose another way.' },
  upstream_answer_invalid: {
    status: 400,
    type: 'VALIDATION_ERROR',
    message: 'The answer of the other provider could not be used. Try again, or sign in another way.',
  },
  upstream_unavailable: {
    status: 503,
    type: 'SERVICE_UNAVAILABLE',
    message: 'The other provider cannot be reached. Try again in a moment, or sign in another way.',
  },
  dns_unavailable: { status: 503, type: 'SERVICE_UNAVAILABLE', message: 'The DNS servers of this domain do not answer. Try again in a moment.' },
  upstream_unlinked: {
    status: 403,
    type: 'FORBIDDEN',
    message: 'That did not lead to an account here. Sign in another way or create an account; you can then link the two in your account.',
  },
  upstream_confined: {
    status: 403,
    type: 'FORBIDDEN',
    message: 'This provider signs you in to the applications of its own organization alone. Sign in another way.',
  },
  connection_gone: { status: 404, type: 'NOT_FOUND', message: 'This way to sign in is not offered here. Choose another.' },
  organization_gone: { status: 404, type: 'NOT_FOUND', message: 'This organization is not available to you any more. Choose another.' },
  identity_taken: { status: 409, type: 'CONFLICT', message: 'This account of the other provider cannot be linked.' },
  last_way_in: { status: 409, type: 'CONFLICT', message: 'This is the only way left to sign in. Add another first, such as a password or a passkey.' },
  internal: { status: 500, type: 'INTERNAL_ERROR', message: 'Something went wrong on our side.' },
  busy: { status: 503, type: 'SERVICE_UNAVAILABLE', message: 'The server is busy. Try again in a moment.' },
  unavailable: { status: 503, type: 'SERVICE_UNAVAILABLE', message: 'A service this server depends on is unavailable. Try again in a moment.' },
} as const satisfies Record<string, Telling>

/** What an error may be told as. */
export const problemTypes: readonly string[] = [...new Set(Object.values(table).map(({ type }) => type))]

/** All codes. */
export const problemCodes = Object.keys(table) as readonly ProblemCode[]

/** The code of a {@link Problem}. */
export type ProblemCode = keyof typeof table

/** One field of a request that is wrong. */
export interface FieldFault {
  readonly path: string
  readonly message: string
  /** What is wrong, for pages to say it in their language; the API tells the message. */
  readonly code?: string
  /** What the code is about, such as a length. */
  readonly values?: Readonly<Record<string, string | number>>
}

interface ProblemOptions {
  readonly cause?: unknown
  readonly fields?: readonly FieldFault[]
  /** Becomes the `Retry-After` header. */
  readonly retryAfterSeconds?: number
  /** What its sentence on a page is about, such as a name. */
  readonly values?: Readonly<Record<string, string>>
}

/** An error the caller can act on. Whatever is thrown and is not a Problem is a bug, told as `internal`. */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly status: number
  readonly type: string
  readonly fields?: readonly FieldFault[]
  readonly retryAfterSeconds?: number
  readonly values?: Readonly<Record<string, string>>

  constructor(code: ProblemCode, options: ProblemOptions = {}) {
    super(table[code].message, { cause: options.cause })
    this.name = 'Problem'
    this.code = code
    this.status = table[code].status
    this.type = table[code].type
    this.fields = options.fields
    this.retryAfterSeconds = options.retryAfterSeconds
    this.values = options.values
  }
}

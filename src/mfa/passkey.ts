// The words of passkeys: what one is, what browsers send of it as JSON (WebAuthn Level 3 §5.1), and why one is refused.
import { z } from 'zod'

/** How many passkeys a user may have. */
export const maxPasskeys = 20

/** A user's passkey. */
export interface Passkey {
  readonly id: string
  readonly userId: string
  readonly name: string
  /** The make of the authenticator, as it says itself; zeros where it does not. */
  readonly aaguid: string
  /** Whether it may leave the device it was made on: it is synced, or can be. */
  readonly isSynced: boolean
  readonly createdAt: Date
  readonly updatedAt: Date
  readonly lastUsedAt?: Date
}

/** What is required of authenticators. */
export interface PasskeyPolicy {
  /** A passkey that the authenticator does not keep itself cannot say who is there. */
  readonly residentKey: 'required' | 'preferred'
  /** Whether the authenticator must have known the person, by PIN or body. */
  readonly userVerification: 'required' | 'preferred'
}

/** Why an answer of an authenticator was refused. */
export type RefusalReason =
  | 'malformed'
  | 'type'
  | 'challenge'
  | 'origin'
  | 'cross_origin'
  | 'rp_id'
  | 'user_presence'
  | 'user_verification'
  | 'backup_state'
  | 'algorithm'
  | 'attestation'
  | 'signature'
  | 'counter'
  | 'credential'
  | 'user'

/** An answer was refused. Outside of the slice it becomes a Problem that tells less. */
export class PasskeyRefusal extends Error {
  readonly reason: RefusalReason

  constructor(reason: RefusalReason, cause?: unknown) {
    super(`the answer of an authenticator was refused: ${reason}`, { cause })
    this.name = 'PasskeyRefusal'
    this.reason = reason
  }
}

const base64url = (maxLength: number) =>
  z
    .string()
    .min(1)
    .max(maxLength)
    .regex(/^[\w-]+$/)
// 1023 bytes (§4).
const credentialId = base64url(1364)
// Browsers add members with time: those we do not know are dropped, not refused.
const credential = { id: credentialId, rawId: credentialId, type: z.literal('public-key') }

/** A `RegistrationResponseJSON`, bounded. */
export const registrationJson = z.object({
  ...credential,
  response: z.object({
    clientDataJSON: base64url(4096),
    attestationObject: base64url(16_384),
    transports: z.array(z.string().max(32)).max(10).optional(),
  }),
})

/** An `AuthenticationResponseJSON`, bounded. */
export const assertionJson = z.object({
  ...credential,
  response: z.object({
    clientDataJSON: base64url(4096),
    authenticatorData: base64url(4096),
    signature: base64url(2048),
    userHandle: base64url(88)
      .nullish()
      .transform(handle => handle ?? undefined),
  }),
})

/** An {@link assertionJson} as the text of a form's field. */
export const assertionField = z
  .string()
  .max(8192)
  .transform((text, issues) => {
    try {
      return JSON.parse(text)
    } catch (error) {
      issues.addIssue({ code: 'custom', message: error instanceof SyntaxError ? 'is no JSON' : 'cannot be read' })
      return z.NEVER
    }
  })
  .pipe(assertionJson)

/** What a browser sends after making a passkey. */
export type RegistrationJson = z.output<typeof registrationJson>
/** What a browser sends after using one. */
export type AssertionJson = z.output<typeof assertionJson>

const descriptors = z.array(z.object({ id: z.string(), type: z.literal('public-key'), transports: z.array(z.string()).optional() }))

/** A `PublicKeyCredentialCreationOptionsJSON`. */
export const creationOptionsJson = z.object({
  challenge: z.string(),
  rp: z.object({ id: z.string(), name: z.string() }),
  user: z.object({ id: z.string(), name: z.string(), displayName: z.string() }),
  pubKeyCredParams: z.array(z.object({ alg: z.number(), type: z.literal('public-key') })),
  timeout: z.number(),
  attestation: z.literal('none'),
  excludeCredentials: descriptors,
  authenticatorSelection: z.object({ residentKey: z.string(), requireResidentKey: z.boolean(), userVerification: z.string() }),
})

/** What a browser makes a passkey by. */
export type CreationOptions = z.output<typeof creationOptionsJson>

/** A `PublicKeyCredentialRequestOptionsJSON`. */
export const requestOptionsJson = z.object({
  challenge: z.string(),
  rpId: z.string(),
  timeout: z.number(),
  userVerification: z.string(),
  allowCredentials: descriptors.optional(),
})

/** What a browser uses a passkey by. */
export type RequestOptions = z.output<typeof requestOptionsJson>

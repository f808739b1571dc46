// Why keys were not rotated or one not revoked, in a sentence that says what helps.
import type { Problem, ProblemCode } from '../src/platform/errors.ts'

// What the service gives the processes to publish a key, and some more.
const spreadSeconds = 10

/** The sentence for a refusal of {@link SigningKeys.rotate}, or of `revoke` where a `kid` was named; `undefined` for what says enough itself. */
export const keyRefusal = (
  { code }: Pick<Problem, 'code'>,
  { kid, jwksMaxAgeSeconds }: { readonly kid?: string | undefined; readonly jwksMaxAgeSeconds: number },
): string | undefined => (kid === undefined ? ofRotation(jwksMaxAgeSeconds)[code] : ofRevocation(kid)[code])

const ofRotation = (jwksMaxAgeSeconds: number): Sentences => ({
  signing_key_too_young: `The next signing keys were published too recently for clients to know them. In ${jwksMaxAgeSeconds + spreadSeconds} seconds at the latest (JWKS_MAX_AGE_SECONDS and some more) this works. --force does it at once: until then, clients that keep our key set may refuse what the new keys sign.`,
  conflict: 'Another process rotated the keys at the same moment.',
})

const ofRevocation = (kid: string): Sentences => ({
  conflict: `The key ${kid} is revoked already.`,
  not_found: `There is no key ${kid}. GET /api/v1/signing-keys and the key set at /oauth2/jwks name those that are there.`,
})

type Sentences = Partial<Record<ProblemCode, string>>

// Looks at what an authenticator says before its signature is verified, and names what is wrong (WebAuthn Level 3 §7.1, §7.2).
import { hash } from 'node:crypto'
import type * as Helpers from '@simplewebauthn/server/helpers'
import { z } from 'zod'
import { type AssertionJson, PasskeyRefusal, type RefusalReason, type RegistrationJson } from './passkey.ts'

/** What answers are compared with. */
export interface Expected {
  readonly origin: string
  readonly rpId: string
  readonly isUserVerificationRequired: boolean
  readonly algorithms: readonly number[]
}

const clientData = z.object({
  type: z.string(),
  challenge: z.string().max(256),
  origin: z.string(),
  crossOrigin: z.boolean().optional(),
  topOrigin: z.string().optional(),
})

/** The challenge that an answer says it signed. Throws {@link PasskeyRefusal} `malformed`. */
export const challengeOf = ({ response }: RegistrationJson | AssertionJson): string => readClientData(response.clientDataJSON).challenge

/** Throws {@link PasskeyRefusal} for a registration that is not to be verified further. */
export const verifyRegistrationShape = async (answer: RegistrationJson, expected: Expected): Promise<void> => {
  const helpers = await library()
  verifyClientData(answer, { type: 'webauthn.create', origin: expected.origin })
  const { format, hasCertificates, data, algorithm } = readable(() => readAttestation(helpers, answer.response.attestationObject))
  verifyFlags(data, expected)
  refuseUnless(algorithm !== undefined && expected.algorithms.includes(algorithm), 'algorithm')
  // None was asked for, so browsers take it away but for that of the key itself (§5.1.3): no certificate of anybody is followed.
  refuseUnless(format === 'none' || (format === 'packed' && !hasCertificates), 'attestation')
}

/** Throws {@link PasskeyRefusal} for a use that is not to be verified further. */
export const verifyAssertionShape = async (
  answer: AssertionJson,
  expected: Expected & { readonly counter: number; readonly isBackupEligible: boolean },
): Promise<void> => {
  const { parseAuthenticatorData } = await library()
  verifyClientData(answer, { type: 'webauthn.get', origin: expected.origin })
  const data = readable(() => parseAuthenticatorData(bytesOf(answer.response.authenticatorData)))
  verifyFlags(data, expected)
  refuseUnless(data.flags.be === expected.isBackupEligible, 'backup_state')
  // §6.1.1: one that counts and did not go on was cloned. Synced passkeys do not count and stay at zero.
  refuseUnless(data.counter > expected.counter || (data.counter === 0 && expected.counter === 0), 'counter')
}

// Read with the rest of the library, when a passkey is asked for first.
const library = () => import('@simplewebauthn/server/helpers')

type AuthenticatorData = ReturnType<typeof Helpers.parseAuthenticatorData>

const verifyClientData = ({ id, rawId, response }: RegistrationJson | AssertionJson, expected: { type: string; origin: string }) => {
  const { type, origin, crossOrigin, topOrigin } = readClientData(response.clientDataJSON)
  refuseUnless(id === rawId, 'malformed')
  refuseUnless(type === expected.type, 'type')
  refuseUnless(origin === expected.origin, 'origin')
  // Our pages are framed by nobody, whatever the browser tells of who frames them.
  refuseUnless(crossOrigin !== true && topOrigin === undefined, 'cross_origin')
}

const verifyFlags = ({ rpIdHash, flags }: AuthenticatorData, { rpId, isUserVerificationRequired }: Expected) => {
  refuseUnless(hash('sha256', rpId, 'buffer').equals(rpIdHash), 'rp_id')
  refuseUnless(flags.up, 'user_presence')
  refuseUnless(flags.uv || !isUserVerificationRequired, 'user_verification')
  // What cannot be backed up is not (§6.1.3).
  refuseUnless(flags.be || !flags.bs, 'backup_state')
}

const readAttestation = ({ decodeAttestationObject, decodeCredentialPublicKey, parseAuthenticatorData }: typeof Helpers, attestationObject: string) => {
  const decoded = decodeAttestationObject(bytesOf(attestationObject))
  const data = parseAuthenticatorData(decoded.get('authData'))
  const algorithm = data.credentialPublicKey && decodeCredentialPublicKey(data.credentialPublicKey).get(algorithmLabel)
  return { format: decoded.get('fmt'), hasCertificates: decoded.get('attStmt').get('x5c') !== undefined, data, algorithm }
}

// RFC 9052 §7.1: the `alg` of a COSE key.
const algorithmLabel = 3

const readClientData = (text: string) => readable(() => clientData.parse(JSON.parse(utf8.decode(bytesOf(text)))))
const utf8 = new TextDecoder('utf-8', { fatal: true })

const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, 'base64url'))

const readable = <Result>(read: () => Result): Result => {
  try {
    return read()
  } catch (error) {
    throw new PasskeyRefusal('malformed', error)
  }
}

const refuseUnless = (isTrue: boolean, reason: RefusalReason) => {
  if (!isTrue) throw new PasskeyRefusal(reason)
}

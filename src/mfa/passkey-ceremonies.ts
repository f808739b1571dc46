// What is asked of authenticators and how their answers are verified; the only place that knows the WebAuthn library.
import {
  type AssertionJson,
  type CreationOptions,
  creationOptionsJson,
  type PasskeyPolicy,
  PasskeyRefusal,
  type RefusalReason,
  type RegistrationJson,
  type RequestOptions,
  requestOptionsJson,
} from './passkey.ts'
import { challengeTtlSeconds } from './passkey-challenges.ts'
import { type Expected, verifyAssertionShape, verifyRegistrationShape } from './passkey-shape.ts'

/** A credential as it is kept. */
export interface Credential {
  /** As base64url. */
  readonly id: string
  /** The public key in COSE, as base64url. */
  readonly publicKey: string
  readonly counter: number
  readonly details: CredentialDetails
}

/** What is kept of a credential beside its key. */
export interface CredentialDetails {
  readonly aaguid: string
  readonly transports: readonly string[]
  readonly isBackupEligible: boolean
  readonly isBackedUp: boolean
}

/** What a use of a credential showed. */
export interface Assertion {
  readonly counter: number
  readonly isUserVerified: boolean
  readonly isBackedUp: boolean
}

/** Names a credential to a browser. */
export type Descriptor = Pick<Credential, 'id'> & { readonly transports: readonly string[] }

/** The two ceremonies of WebAuthn. Verifying throws {@link PasskeyRefusal}. */
export interface Ceremonies {
  creationOptions(given: {
    challenge: string
    user: { readonly handle: string; readonly name: string; readonly displayName: string }
    exclude: readonly Descriptor[]
  }): Promise<CreationOptions>
  requestOptions(given: { challenge: string; allow?: readonly Descriptor[] }): Promise<RequestOptions>
  verifyRegistration(response: RegistrationJson, challenge: string): Promise<Credential>
  verifyAssertion(response: AssertionJson, given: { challenge: string; credential: Credential }): Promise<Assertion>
}

interface Needs {
  readonly issuer: string
  readonly productName: string
  readonly policy: PasskeyPolicy
}

/** EdDSA, ES256 and RS256, in the order of preference. */
const algorithms = [-8, -7, -257]

/** Makes them. The relying party's id is the issuer's host, its only origin the issuer (§13.4.9). */
export const createCeremonies = ({ issuer, productName, policy }: Needs): Ceremonies => {
  const rpId = new URL(issuer).hostname
  const expected: Expected = { origin: issuer, rpId, isUserVerificationRequired: policy.userVerification === 'required', algorithms }
  const toLibrary = { expectedOrigin: issuer, expectedRPID: rpId, requireUserVerification: expected.isUserVerificationRequired }
  const timeout = challengeTtlSeconds * 1000

  return {
    creationOptions: async ({ challenge, user, exclude }) =>
      creationOptionsJson.parse(
        await (await library()).generateRegistrationOptions({
          rpName: productName,
          rpID: rpId,
          userID: bytesOf(user.handle),
          userName: user.name,
          userDisplayName: user.displayName,
          challenge: bytesOf(challenge),
          timeout,
          attestationType: 'none',
          excludeCredentials: exclude.map(toDescriptor),
          authenticatorSelection: { ...policy },
          supportedAlgorithmIDs: algorithms,
        }),
      ),
    requestOptions: async ({ challenge, allow }) =>
      requestOptionsJson.parse(
        await (await library()).generateAuthenticationOptions({
          rpID: rpId,
          challenge: bytesOf(challenge),
          timeout,
          userVerification: policy.userVerification,
          allowCredentials: allow?.map(toDescriptor),
        }),
      ),
    verifyRegistration: async (response, challenge) => {
      await verifyRegistrationShape(response, expected)
      const { verifyRegistrationResponse } = await library()
      const { registrationInfo: info } = await decided('attestation', () =>
        verifyRegistrationResponse({
          ...toLibrary,
          response: { ...response, clientExtensionResults: {} },
          expectedChallenge: challenge,
          supportedAlgorithmIDs: algorithms,
        }),
      )
      if (!info) throw new PasskeyRefusal('attestation')
      return {
        id: info.credential.id,
        publicKey: Buffer.from(info.credential.publicKey).toString('base64url'),
        counter: info.credential.counter,
        details: {
          aaguid: info.aaguid,
          transports: response.response.transports ?? [],
          isBackupEligible: info.credentialDeviceType === 'multiDevice',
          isBackedUp: info.credentialBackedUp,
        },
      }
    },
    verifyAssertion: async (response, { challenge, credential }) => {
      const { id, counter, publicKey, details } = credential
      await verifyAssertionShape(response, { ...expected, counter, isBackupEligible: details.isBackupEligible })
      const { verifyAuthenticationResponse } = await library()
      const { verified, authenticationInfo: info } = await decided('signature', () =>
        verifyAuthenticationResponse({
          ...toLibrary,
          response: { ...response, clientExtensionResults: {} },
          expectedChallenge: challenge,
          credential: { id, counter, publicKey: bytesOf(publicKey) },
        }),
      )
      if (!verified) throw new PasskeyRefusal('signature')
      return { counter: info.newCounter, isUserVerified: info.userVerified, isBackedUp: info.credentialBackedUp }
    },
  }
}

// Read when a passkey is asked for first: until then a process holds 5 MB less.
const library = () => import('@simplewebauthn/server')

// The library throws plain errors for whatever is wrong; what could be named was named before.
const decided = async <Result>(reason: RefusalReason, verify: () => Promise<Result>): Promise<Result> => {
  try {
    return await verify()
  } catch (error) {
    throw new PasskeyRefusal(reason, error)
  }
}

const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, 'base64url'))

const toDescriptor = ({ id, transports }: Descriptor) => ({ id, transports: [...transports] })

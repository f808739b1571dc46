// The demo client as an unmodified relying-party library drives it: openid-client 6.
import * as client from 'openid-client'
import { plant, plantTokens } from './canaries.ts'
import { createPerson, type Person } from './person.ts'

export const bob = { email: 'bob@acme-corp.com', password: plant('UserPass123!') }
export const alice = { email: 'alice@acme-corp.com', password: plant('OwnerPass123!') }
export const redirectUri = 'http://localhost:4000/callback'

/** A relying party and what a sign-in needs. */
export type RelyingParty = Awaited<ReturnType<typeof createRelyingParty>>

/** Discovers the issuer as one of its clients. */
export async function createRelyingParty(
  issuer: string,
  options: { clientId?: string; secret?: string; metadata?: Partial<client.ClientMetadata>; auth?: client.ClientAuth; redirectUri?: string } = {},
) {
  const { clientId = 'acme-portal-001', secret = 'acme_secret_portal_2024' } = options
  const configuration = await client.discovery(new URL(issuer), clientId, options.metadata ?? {}, options.auth ?? client.ClientSecretBasic(secret), {
    execute: [client.allowInsecureRequests],
  })
  const returnTo = options.redirectUri ?? redirectUri

  /** Makes an authorization request with everything that protects it. */
  const request = async (parameters: Record<string, string> = {}) => {
    const verifier = client.randomPKCECodeVerifier()
    const state = client.randomState()
    const nonce = client.randomNonce()
    const url = client.buildAuthorizationUrl(configuration, {
      redirect_uri: returnTo,
      scope: 'openid profile email',
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
      ...parameters,
    })
    return { url, verifier, checks: { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true } }
  }

  /** Signs somebody in, all the way to tokens whose ID token was verified. */
  const signIn = async ({
    person = createPerson(),
    parameters = {},
    who = bob,
    checks = {},
  }: {
    person?: Person
    parameters?: Record<string, string>
    who?: { email: string; password: string }
    checks?: client.AuthorizationCodeGrantChecks
  } = {}) => {
    const made = await request(parameters)
    const back = await person.authorize(made.url, { ...who, redirectUri: returnTo })
    const tokens = await client.authorizationCodeGrant(configuration, back, { ...made.checks, ...checks })
    plantTokens({ ...tokens, code: back.searchParams.get('code') })
    return { person, back, tokens }
  }

  return { configuration, request, signIn }
}

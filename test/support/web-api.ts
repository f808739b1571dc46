// A client driven by oauth4webapi: each specification's request and the check of its answer, one by one.
import { generateKeyPair } from 'jose'
import * as oauth from 'oauth4webapi'
import { None } from 'openid-client'
import type { NewClient } from '../../src/clients/client.ts'
import { plantTokens } from './canaries.ts'
import { makeClient } from './clients.ts'
import type { Person } from './person.ts'
import { alice, redirectUri } from './relying-party.ts'
import type { TestServer } from './server.ts'

/** What every request says: the test's server speaks plain HTTP. */
export const http = { [oauth.allowInsecureRequests]: true }

/** A client, and its server as it told of itself. */
export interface WebClient {
  readonly as: oauth.AuthorizationServer
  readonly client: oauth.Client
  readonly secret: string
  readonly auth: oauth.ClientAuth
}

/** Makes one, which authenticates by its secret unless told otherwise. */
export const makeWebClient = async (
  server: TestServer,
  { auth, ...given }: Partial<NewClient> & { auth?: (secret: string) => oauth.ClientAuth } = {},
): Promise<WebClient> => {
  const issuer = new URL(server.issuer)
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, http))
  const { clientId, secret } = await makeClient(server, { ...given, auth: None() })
  return { as, client: { client_id: clientId, ...given.metadata }, secret, auth: (auth ?? oauth.ClientSecretBasic)(secret) }
}

/** A key pair, and the key set that a client registers of it. */
export const makeKeys = async () => {
  const keys = await generateKeyPair('ES256', { extractable: true })
  const jwk = await crypto.subtle.exportKey('jwk', keys.publicKey)
  return { ...keys, jwks: { keys: [{ ...jwk, use: 'sig', alg: 'ES256', kid: 'own' }] } }
}

/** The parameters of a request, and what their answer is checked by. */
export const begin = async ({ client }: WebClient, more: Record<string, string> = {}) => {
  const codeVerifier = oauth.generateRandomCodeVerifier()
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()]
  const parameters = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid profile',
    state,
    nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
    ...more,
  })
  return { parameters, state, nonce, codeVerifier }
}

type Begun = Awaited<ReturnType<typeof begin>>

/** Goes to the authorization endpoint and comes back. */
export const visit = ({ as }: WebClient, person: Person, parameters: URLSearchParams): Promise<URL> => {
  const url = new URL(as.authorization_endpoint ?? '')
  url.search = parameters.toString()
  return person.authorize(url, { ...alice, redirectUri })
}

/** Redeems what came back, checked by all that the request said. */
export const redeem = async (web: WebClient, { back, begun, DPoP }: { back: URLSearchParams | URL; begun: Begun; DPoP?: oauth.DPoPHandle }) => {
  const parameters = back instanceof URL ? oauth.validateAuthResponse(web.as, web.client, back, begun.state) : back
  const response = await oauth.authorizationCodeGrantRequest(web.as, web.client, web.auth, parameters, redirectUri, begun.codeVerifier, { ...http, DPoP })
  const tokens = await oauth.processAuthorizationCodeResponse(web.as, web.client, response, { expectedNonce: begun.nonce, requireIdToken: true })
  await oauth.validateApplicationLevelSignature(web.as, response, http)
  plantTokens(tokens)
  return tokens
}

/** A service's own token. */
export const asService = async (web: WebClient, parameters: Record<string, string> = {}, DPoP?: oauth.DPoPHandle) => {
  const response = await oauth.clientCredentialsGrantRequest(web.as, web.client, web.auth, parameters, { ...http, DPoP })
  return oauth.processClientCredentialsResponse(web.as, web.client, response)
}

/** What the server says of a token. */
export const introspect = async (web: WebClient, token: string) =>
  oauth.processIntrospectionResponse(web.as, web.client, await oauth.introspectionRequest(web.as, web.client, web.auth, token, http))

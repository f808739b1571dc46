// A code received as a client receives it, with every check that the specifications ask of one; what it expects may be bent.
import * as oauth from 'oauth4webapi'
import { redirectUri } from '../relying-party.ts'
import type { ClientName, Made } from './made.ts'
import type { Specification } from './row.ts'

/** What a client believes, and what it received. */
export interface Belief {
  readonly server: Partial<oauth.AuthorizationServer>
  readonly client: Partial<oauth.Client>
  readonly state?: string
  readonly nonce?: string
  readonly maxAge?: number
  readonly sub?: string
  readonly codeVerifier?: string
  readonly asked: Readonly<Record<string, string>>
  /** Changes the address that the person came back to. */
  readonly back: (url: URL) => void
  /** Changes the answer of the token endpoint. */
  readonly tokens: (answer: Record<string, unknown>) => void
}

/** One row: a client that believes this must refuse, with the library's code. */
export interface Check {
  readonly spec: Specification
  readonly section: string
  readonly says: string
  readonly when: string
  readonly bend: Partial<Belief>
  readonly code: string
  readonly client?: ClientName
}

const http = { [oauth.allowInsecureRequests]: true }

/** Receives it. Throws the library's error for whatever is not as the client believes. */
export const receive = async (made: Made, { bend = {}, clientId = 'portal' }: { bend?: Partial<Belief>; clientId?: ClientName } = {}) => {
  const issuer = new URL(made.issuer)
  const real = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, http))
  const [server, client] = [
    { ...real, ...bend.server },
    { client_id: clientId, ...(clientId === 'elliptic' ? elliptic : {}), ...bend.client },
  ]
  const codeVerifier = oauth.generateRandomCodeVerifier()
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()]
  const url = new URL(real.authorization_endpoint ?? '')
  const asked = {
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid profile',
    state,
    nonce,
    max_age: '86400',
    ...bend.asked,
  }
  const challenge = { code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier), code_challenge_method: 'S256' }
  url.search = new URLSearchParams({ ...asked, ...challenge }).toString()
  const back = (await made.person.get(url)).location ?? new URL('none:')
  bend.back?.(back)
  const parameters = oauth.validateAuthResponse(server, client, back, bend.state ?? state)
  const auth = oauth.ClientSecretBasic(made.clients[clientId].secret)
  const verifier = bend.codeVerifier ?? codeVerifier
  const answer = await oauth.authorizationCodeGrantRequest(real, { client_id: clientId }, auth, parameters, redirectUri, verifier, http)
  const response = bend.tokens ? await changed(answer, bend.tokens) : answer
  const expected = { expectedNonce: bend.nonce ?? nonce, maxAge: bend.maxAge ?? 86_400, requireIdToken: true }
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, expected)
  await oauth.validateApplicationLevelSignature(server, response, http)
  const told = await oauth.userInfoRequest(real, client, tokens.access_token, http)
  return oauth.processUserInfoResponse(server, client, bend.sub ?? oauth.getValidatedIdTokenClaims(tokens)?.sub ?? '', told)
}

const elliptic = { id_token_signed_response_alg: 'ES256', userinfo_signed_response_alg: 'ES256' }

const changed = async (answer: Response, change: Belief['tokens']): Promise<Response> => {
  const body = (await answer.json()) as Record<string, unknown>
  change(body)
  return Response.json(body, { status: answer.status, headers: { 'cache-control': 'no-store' } })
}

// What a client checks (OpenID Connect Core §3.1.3.7, §5.3.2; RFC 9207 §2.4; RFC 6749 §10.12): our answers pass for what they are, and for nothing else.
import * as oauth from 'oauth4webapi'
import type { Check } from '../../support/protocol/receive.ts'

const spec = 'OpenID Connect Core'
const invalid = 'OAUTH_INVALID_RESPONSE'
const compared = 'OAUTH_JWT_CLAIM_COMPARISON_FAILED'
const idToken = (change: (parts: string[]) => void) => (answer: Record<string, unknown>) => {
  const parts = String(answer.id_token).split('.')
  change(parts)
  answer.id_token = parts.join('.')
}
const claims = (part = '') => JSON.parse(Buffer.from(part, 'base64url').toString())
const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const withClaims = (more: Readonly<Record<string, unknown>>) =>
  idToken(parts => {
    parts[1] = encoded({ ...claims(parts[1]), ...more })
  })

const tokens: readonly Check[] = [
  {
    spec,
    section: '§3.1.3.7 (2)',
    says: 'The Issuer Identifier for the OpenID Provider MUST exactly match the value of the iss (issuer) Claim',
    when: 'iss is another',
    bend: { tokens: withClaims({ iss: 'https://elsewhere.example' }) },
    code: compared,
  },
  {
    spec,
    section: '§3.1.3.7 (3)',
    says: 'The Client MUST validate that the aud (audience) Claim contains its client_id value',
    when: 'aud is another client',
    bend: { tokens: withClaims({ aud: 'stranger' }) },
    code: compared,
  },
  {
    spec,
    section: '§3.1.3.7 (3)',
    says: 'The ID Token MUST be rejected if the ID Token does not list the Client as a valid audience',
    when: 'the client is another',
    bend: { client: { client_id: 'stranger' } },
    code: compared,
  },
  {
    spec,
    section: '§3.1.3.7 (4)',
    says: 'or if it contains additional audiences not trusted by the Client',
    when: 'aud lists a second one, without azp',
    bend: { tokens: withClaims({ aud: ['portal', 'stranger'] }) },
    code: compared,
  },
  {
    spec,
    section: '§3.1.3.7 (6)',
    says: 'the Client MUST validate the signature of all other ID Tokens according to JWS',
    when: 'the signature is another',
    bend: {
      tokens: idToken(parts => {
        parts[2] = (parts[2] ?? '').replace(/^./, first => (first === 'A' ? 'B' : 'A'))
      }),
    },
    code: invalid,
  },
  {
    spec,
    section: '§3.1.3.7 (6)',
    says: 'the Client MUST validate the signature',
    when: 'sub was changed after signing',
    bend: { tokens: withClaims({ sub: 'somebody-else' }) },
    code: invalid,
  },
  {
    spec,
    section: '§3.1.3.7 (6)',
    says: 'using the keys provided by the Issuer',
    when: 'the header names an unknown key',
    bend: {
      tokens: idToken(parts => {
        parts[0] = encoded({ ...claims(parts[0]), kid: 'unheard-of' })
      }),
    },
    code: 'OAUTH_KEY_SELECTION_FAILED',
  },
  {
    spec,
    section: '§3.1.3.7 (7)',
    says: 'The alg value SHOULD be the default of RS256 or the algorithm sent by the Client in the id_token_signed_response_alg parameter during Registration',
    when: 'the client expects ES256',
    bend: { client: { id_token_signed_response_alg: 'ES256' } },
    code: invalid,
  },
  {
    spec,
    section: '§3.1.3.7 (7)',
    says: 'The alg value SHOULD be … the algorithm sent by the Client in the id_token_signed_response_alg parameter',
    when: 'a client registered ES256 and expects RS256',
    bend: { client: { id_token_signed_response_alg: 'RS256' } },
    code: invalid,
    client: 'elliptic',
  },
  {
    spec,
    section: '§2',
    says: 'ID Tokens MUST NOT use none as the alg value unless the Client explicitly requested the use of none at Registration time',
    when: 'alg is none',
    bend: {
      tokens: idToken(parts => {
        parts[0] = encoded({ alg: 'none' })
        parts[2] = ''
      }),
    },
    code: invalid,
  },
  {
    spec,
    section: '§3.1.3.7 (9)',
    says: 'The current time MUST be before the time represented by the exp Claim',
    when: 'it is two hours later',
    bend: { client: { [oauth.clockSkew]: 7200 } },
    code: 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED',
  },
  {
    spec,
    section: '§3.1.3.7 (10)',
    says: 'The iat Claim can be used to reject tokens',
    when: 'iat is missing',
    bend: { tokens: withClaims({ iat: undefined }) },
    code: invalid,
  },
  {
    spec,
    section: '§3.1.3.7 (11)',
    says: 'its value checked to verify that it is the same value as the one that was sent in the Authentication Request',
    when: 'nonce is of another request',
    bend: { nonce: 'another' },
    code: compared,
  },
  {
    spec,
    section: '§3.1.3.7 (11)',
    says: 'If a nonce value was sent in the Authentication Request, a nonce Claim MUST be present',
    when: 'nonce is missing',
    bend: { tokens: withClaims({ nonce: undefined }) },
    code: invalid,
  },
  {
    spec,
    section: '§3.1.3.7 (13)',
    says: 'If the auth_time Claim was requested, … the Client SHOULD check the auth_time Claim value',
    when: 'the client wants a sign-in of a second ago',
    bend: { maxAge: 1, client: { [oauth.clockSkew]: 120, [oauth.clockTolerance]: 0 } },
    code: 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED',
  },
  {
    spec,
    section: '§2',
    says: 'When a max_age request is made … then this Claim is REQUIRED',
    when: 'auth_time is missing',
    bend: { tokens: withClaims({ auth_time: undefined }) },
    code: invalid,
  },
  {
    spec,
    section: '§3.1.3.3',
    says: 'id_token: ID Token value associated with the authenticated session',
    when: 'there is no ID token',
    bend: {
      tokens: answer => {
        delete answer.id_token
      },
    },
    code: invalid,
  },
  {
    spec,
    section: '§3.1.3.3',
    says: 'The OAuth 2.0 token_type response parameter value MUST be Bearer',
    when: 'token_type is another',
    bend: {
      tokens: answer => {
        answer.token_type = 'unheard_of'
      },
    },
    code: 'OAUTH_UNSUPPORTED_OPERATION',
  },
  {
    spec,
    section: '§5.3.2',
    says: 'The sub Claim in the UserInfo Response MUST be verified to exactly match the sub Claim in the ID Token',
    when: 'another person is expected',
    bend: { sub: 'somebody-else' },
    code: 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED',
  },
]

const answers: readonly Check[] = [
  {
    spec: 'RFC 9207',
    section: '§2.4',
    says: 'If the value does not match the expected issuer identifier, clients MUST reject the authorization response',
    when: 'iss is another',
    bend: { back: url => url.searchParams.set('iss', 'https://elsewhere.example') },
    code: invalid,
  },
  {
    spec: 'RFC 9207',
    section: '§2.4',
    says: 'clients MUST reject authorization responses without the iss parameter from authorization servers which do support the parameter',
    when: 'iss is missing',
    bend: { back: url => url.searchParams.delete('iss') },
    code: invalid,
  },
  {
    spec: 'RFC 9207',
    section: '§2.4',
    says: 'If the value does not match the expected issuer identifier',
    when: 'the client talks to another issuer',
    bend: { server: { issuer: 'https://elsewhere.example' } },
    code: invalid,
  },
  {
    spec: 'RFC 9207',
    section: '§2.4',
    says: 'MUST NOT proceed with the authorization grant',
    when: 'iss comes twice',
    bend: { back: url => url.searchParams.append('iss', 'https://elsewhere.example') },
    code: invalid,
  },
  {
    spec: 'RFC 6749',
    section: '§10.12',
    says: 'The client MUST implement CSRF protection for its redirection URI',
    when: 'state is another',
    bend: { state: 'another' },
    code: invalid,
  },
  {
    spec: 'RFC 6749',
    section: '§10.12',
    says: 'The client MUST implement CSRF protection for its redirection URI',
    when: 'state is missing',
    bend: { back: url => url.searchParams.delete('state') },
    code: invalid,
  },
  {
    spec: 'RFC 6749',
    section: '§4.1.2',
    says: 'code REQUIRED. The authorization code generated by the authorization server',
    when: 'the answer is an error',
    bend: { asked: { scope: '"' } },
    code: 'OAUTH_AUTHORIZATION_RESPONSE_ERROR',
  },
  {
    spec: 'RFC 6749',
    section: '§5.2',
    says: 'The provided authorization grant … is invalid',
    when: 'code was changed',
    bend: { back: url => url.searchParams.set('code', 'unheard-of') },
    code: 'OAUTH_RESPONSE_BODY_ERROR',
  },
  {
    spec: 'RFC 7636',
    section: '§4.6',
    says: 'If the values are not equal, an error response indicating "invalid_grant" … MUST be returned',
    when: 'code_verifier is another',
    bend: { codeVerifier: 'a'.repeat(43) },
    code: 'OAUTH_RESPONSE_BODY_ERROR',
  },
]

export const clientChecks: readonly Check[] = [...tokens, ...answers]

// RFC 6749 at the token endpoint: client authentication, codes, services, and refresh tokens (§2.3.1, §3.2, §4.1.3, §4.4, §5.2, §6).
import { issueCode, issueTokens } from '../../support/protocol/endpoints.ts'
import { family, goesWell, refused } from '../../support/protocol/row.ts'
import { redirectUri } from '../../support/relying-party.ts'

const missing = 'The request is missing a required parameter'
const once = 'includes an unsupported parameter value, repeats a parameter'
const grant = 'The provided authorization grant or refresh token is invalid, expired, revoked'
const failed = 'Client authentication failed (e.g., unknown client, no client authentication included, or unsupported authentication method)'
const challenged = 'MUST respond with an HTTP 401 status code and include the "WWW-Authenticate" response header field matching the authentication scheme'
const several = 'The client MUST NOT use more than one authentication method in each request'
const basic = { 'www-authenticate': /^Basic realm="/, 'cache-control': /no-store/ }
const fresh = { 'cache-control': /no-store/, pragma: /^no-cache$/, 'content-type': /^application\/json/ }
const encoded = (text: string) => ({ headers: { authorization: `Basic ${btoa(text)}` }, basic: undefined })

const redeeming = family({ spec: 'RFC 6749', at: 'redeem' }, [
  ['§4.1.3', missing, 'grant_type is missing', { form: { grant_type: undefined } }, refused('invalid_request')],
  ['§4.1.3', missing, 'grant_type is empty', { form: { grant_type: '' } }, refused('invalid_request')],
  [
    '§5.2',
    'The authorization grant type is not supported by the authorization server',
    'grant_type is unknown',
    { form: { grant_type: 'unheard_of' } },
    refused('unsupported_grant_type'),
  ],
  [
    '§5.2',
    'The authorization grant type is not supported by the authorization server',
    'grant_type is password',
    { form: { grant_type: 'password', username: 'a', password: 'b' } },
    refused('unsupported_grant_type'),
  ],
  [
    '§5.2',
    'The authorization grant type is not supported by the authorization server',
    'grant_type is implicit',
    { form: { grant_type: 'implicit' } },
    refused('unsupported_grant_type'),
  ],
  ['§4.1.3', missing, 'code is missing', { form: { code: undefined } }, refused('invalid_request')],
  ['§5.2', grant, 'code is unknown', { form: { code: 'unheard-of' } }, refused('invalid_grant')],
  ['§5.2', grant, 'code has one letter more', async made => ({ form: { code: `${(await issueCode(made, 'portal')).code}x` } }), refused('invalid_grant')],
  [
    '§4.1.3',
    'ensure that the authorization code was issued to the authenticated confidential client',
    'code is of another client',
    async made => ({ form: { code: (await issueCode(made, 'stranger')).code } }),
    refused('invalid_grant'),
  ],
  [
    '§4.1.3',
    'if the "redirect_uri" parameter was included in the initial authorization request',
    'redirect_uri is missing',
    { form: { redirect_uri: undefined } },
    refused('invalid_request'),
  ],
  [
    '§4.1.3',
    'ensure that their values are identical',
    'redirect_uri is another of the client',
    { form: { redirect_uri: `${redirectUri}?kept=1` } },
    refused('invalid_grant'),
  ],
  [
    '§4.1.3',
    'ensure that their values are identical',
    'redirect_uri is of another host',
    { form: { redirect_uri: 'https://elsewhere.example/' } },
    refused('invalid_grant'),
  ],
  ['§3.2', once, 'code comes twice', { form: { code: ['one', 'two'] } }, refused('invalid_request')],
  ['§3.2', once, 'grant_type comes twice', { form: { grant_type: ['authorization_code', 'authorization_code'] } }, refused('invalid_request')],
  ['§3.2', once, 'redirect_uri comes twice', { form: { redirect_uri: [redirectUri, redirectUri] } }, refused('invalid_request')],
  [
    '§5.2',
    'The request … utilizes more than one mechanism, or is otherwise malformed',
    'the body is JSON',
    { body: '{"grant_type":"authorization_code"}', headers: { 'content-type': 'application/json' } },
    refused('invalid_request'),
  ],
  ['§5.2', 'The request … utilizes more than one mechanism, or is otherwise malformed', 'the body is empty', { body: '' }, refused('invalid_request')],
  ['§3.2', 'The client MUST use the HTTP "POST" method when making access token requests', 'it is got', { method: 'GET' }, { by: 'method', allow: 'POST' }],
  ['§3.2', 'Parameters sent without a value MUST be treated as if they were omitted', 'scope is empty', { form: { scope: '' } }, goesWell({ scope: /openid/ })],
  ['§3.2', 'The authorization server MUST ignore unrecognized request parameters', 'a parameter is unknown', { form: { unheard_of: 'x' } }, goesWell()],
  [
    '§5.1',
    'MUST include the HTTP "Cache-Control" response header field with a value of "no-store"',
    'all is right',
    {},
    goesWell({ token_type: 'Bearer', expires_in: 3600, refresh_token: /./, id_token: /./, state: undefined }, fresh),
  ],
  ['§5.2', challenged, 'the secret is wrong', { basic: { secret: 'a secret that is another' } }, refused('invalid_client', 401, basic)],
  ['§5.2', challenged, 'the secret is empty', { basic: { secret: '' } }, refused('invalid_client', 401, basic)],
  ['§5.2', challenged, 'the client is unknown', { basic: { id: 'nobody' } }, refused('invalid_client', 401, basic)],
  ['§5.2', failed, 'a confidential client does not authenticate', { basic: undefined, form: { client_id: 'portal' } }, refused('invalid_client', 401)],
  ['§5.2', failed, 'nobody says who asks', { basic: undefined }, refused('invalid_client', 401)],
  ['§5.2', failed, 'an unknown client does not authenticate', { basic: undefined, form: { client_id: 'nobody' } }, refused('invalid_client', 401)],
  [
    '§2.3',
    several,
    'the secret is in the header and the body',
    ({ clients }) => ({ form: { client_secret: clients.portal.secret } }),
    refused('invalid_request'),
  ],
  [
    '§3.2.1',
    'the client is bound to its identifier',
    'client_id is another’s than the header’s',
    { form: { client_id: 'stranger' } },
    refused('invalid_request'),
  ],
  [
    '§2.3.1',
    'The client identifier is encoded using the "application/x-www-form-urlencoded" encoding algorithm',
    'the header has half an escape',
    encoded('portal:%zz'),
    refused('invalid_client', 401, basic),
  ],
  [
    '§2.3.1',
    'the client identifier as the username, the client password as the password',
    'the header has no colon',
    encoded('portal'),
    refused('invalid_client', 401, basic),
  ],
  [
    '§2.3.1',
    'using the HTTP Basic authentication scheme',
    'the header is no Base64',
    { basic: undefined, headers: { authorization: 'Basic ***' } },
    refused('invalid_client', 401, basic),
  ],
  [
    '§2.3.1',
    'using the HTTP Basic authentication scheme',
    'the header is of another scheme',
    { basic: undefined, headers: { authorization: 'Bearer x' } },
    refused('invalid_client', 401, basic),
  ],
])

const spent = family({ spec: 'RFC 6749', at: 'redeem' }, [
  [
    '§4.1.2',
    'The client MUST NOT use the authorization code more than once',
    'the code was redeemed',
    async made => ({ form: await redeemedCode(made) }),
    refused('invalid_grant'),
    { isSpent: true },
  ],
])

const clients = [
  ...family({ spec: 'RFC 6749', at: 'redeem', client: 'spa' }, [
    [
      '§4.1.3',
      'or if the client is public, ensure that the code was issued to "client_id" in the request',
      'client_id is of another public client',
      { form: { client_id: 'device' } },
      refused('unauthorized_client'),
    ],
    [
      '§3.2.1',
      'an unauthenticated client MUST send its "client_id"',
      'client_id is missing',
      { form: { client_id: undefined } },
      refused('invalid_client', 401),
    ],
    ['§3.2.1', 'an unauthenticated client MUST send its "client_id"', 'all is right', {}, goesWell()],
    ['§5.2', failed, 'a public client brings a secret', { form: { client_secret: 'a secret it never had' } }, refused('invalid_client', 401)],
  ]),
  ...family({ spec: 'RFC 6749', at: 'ask as a service' }, [
    [
      '§4.4.2',
      'REQUIRED. Value MUST be set to "client_credentials"',
      'all is right',
      {},
      goesWell({ token_type: 'Bearer', id_token: undefined, scope: undefined }, fresh),
    ],
    [
      '§4.4.3',
      'A refresh token SHOULD NOT be included',
      'all is right, and offline_access alone is asked',
      { form: { scope: 'offline_access' } },
      refused('invalid_scope'),
    ],
    ['§3.3', 'The requested scope is invalid, unknown, malformed', 'scope has a quotation mark', { form: { scope: '"' } }, refused('invalid_scope')],
    ['§3.2', once, 'scope comes twice', { form: { scope: ['a', 'b'] } }, refused('invalid_request')],
  ]),
  ...family({ spec: 'RFC 6749', at: 'ask as a service', client: 'service' }, [
    [
      '§5.2',
      'The authenticated client is not authorized to use this authorization grant type',
      'it brings a code',
      async made => ({ form: { grant_type: 'authorization_code', code: (await issueCode(made, 'portal')).code, redirect_uri: redirectUri } }),
      refused('unauthorized_client'),
    ],
    [
      '§5.2',
      'The authenticated client is not authorized to use this authorization grant type',
      'it brings a refresh token',
      { form: { grant_type: 'refresh_token', refresh_token: 'x' } },
      refused('unauthorized_client'),
    ],
    [
      '§5.2',
      'The authenticated client is not authorized to use this authorization grant type',
      'it brings a device code',
      { form: { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: 'x' } },
      refused('unauthorized_client'),
    ],
  ]),
  ...family({ spec: 'RFC 6749', at: 'redeem', client: 'lax' }, [
    [
      '§4.4',
      'The client credentials grant type MUST only be used by confidential clients',
      'it asks as a service without being one',
      { form: { grant_type: 'client_credentials' } },
      refused('unauthorized_client'),
    ],
  ]),
  ...family({ spec: 'RFC 6749', at: 'redeem', client: 'spa' }, [
    [
      '§4.4',
      'The client credentials grant type MUST only be used by confidential clients',
      'a public client asks as a service',
      { form: { grant_type: 'client_credentials' } },
      refused('unauthorized_client'),
    ],
  ]),
  ...family({ spec: 'RFC 6749', at: 'ask as a service', client: 'post' }, [
    ['§2.3.1', 'client_secret REQUIRED. The client secret', 'client_secret is missing', { form: { client_secret: undefined } }, refused('invalid_client', 401)],
    [
      '§2.3.1',
      'client_secret REQUIRED. The client secret',
      'client_secret is wrong',
      { form: { client_secret: 'a secret that is another' } },
      refused('invalid_client', 401),
    ],
    [
      '§2.3.1',
      'REQUIRED. The client identifier issued to the client',
      'client_id is missing',
      { form: { client_id: undefined } },
      refused('invalid_client', 401),
    ],
    [
      '§2.3.1',
      'The parameters can only be transmitted in the request-body and MUST NOT be included in the request URI',
      'client_secret is in the address',
      ({ clients }) => ({ form: { client_secret: undefined }, query: { client_secret: clients.post.secret } }),
      refused('invalid_client', 401),
    ],
    ['§3.2', once, 'client_secret comes twice', { form: { client_secret: ['a', 'b'] } }, refused('invalid_request')],
  ]),
]

const refreshing = [
  ...family({ spec: 'RFC 6749', at: 'refresh' }, [
    ['§6', 'REQUIRED. The refresh token issued to the client', 'refresh_token is missing', { form: { refresh_token: undefined } }, refused('invalid_request')],
    [
      '§6',
      'The authorization server MUST … validate the refresh token',
      'refresh_token is unknown',
      { form: { refresh_token: 'unheard-of' } },
      refused('invalid_grant'),
    ],
    [
      '§6',
      'ensure that the refresh token was issued to the authenticated client',
      'refresh_token is of another client',
      async made => ({ form: { refresh_token: (await issueTokens(made, 'stranger')).refreshToken } }),
      refused('invalid_grant'),
    ],
    [
      '§6',
      'The requested scope MUST NOT include any scope not originally granted by the resource owner',
      'scope is wider',
      { form: { scope: 'openid profile email' } },
      refused('invalid_scope'),
    ],
    [
      '§6',
      'The requested scope MUST NOT include any scope not originally granted by the resource owner',
      'scope is another',
      { form: { scope: 'address' } },
      refused('invalid_scope'),
    ],
    [
      '§6',
      'The requested scope MUST NOT include any scope not originally granted by the resource owner',
      'scope is narrower',
      { form: { scope: 'openid' } },
      goesWell({ scope: 'openid' }),
    ],
    [
      '§6',
      'if omitted is treated as equal to the scope originally granted by the resource owner',
      'scope is left out',
      {},
      goesWell({ scope: 'openid profile', refresh_token: /./ }, fresh),
    ],
    [
      '§6',
      'the client MUST authenticate with the authorization server',
      'the secret is wrong',
      { basic: { secret: 'a secret that is another' } },
      refused('invalid_client', 401, basic),
    ],
    [
      '§6',
      'the client MUST authenticate with the authorization server',
      'the client does not authenticate',
      { basic: undefined, form: { client_id: 'portal' } },
      refused('invalid_client', 401),
    ],
    [
      '§5.2',
      grant,
      'an access token is brought',
      async made => ({ form: { refresh_token: (await issueTokens(made, 'portal')).accessToken } }),
      refused('invalid_grant'),
    ],
    ['§3.2', once, 'refresh_token comes twice', { form: { refresh_token: ['a', 'b'] } }, refused('invalid_request')],
    ['§3.3', 'The requested scope is invalid, unknown, malformed', 'scope has a quotation mark', { form: { scope: '"' } }, refused('invalid_scope')],
  ]),
  ...family({ spec: 'RFC 6749', at: 'refresh', client: 'spa' }, [
    [
      '§6',
      'ensure that the refresh token was issued to the authenticated client',
      'another public client brings it',
      { form: { client_id: 'device' } },
      refused('invalid_grant'),
    ],
    [
      '§6',
      'ensure that the refresh token was issued to the authenticated client',
      'nobody says who asks',
      { form: { client_id: undefined } },
      refused('invalid_client', 401),
    ],
  ]),
  ...family({ spec: 'RFC 6749', at: 'redeem', client: 'refreshless' }, [
    [
      '§5.2',
      'The authenticated client is not authorized to use this authorization grant type',
      'it refreshes',
      { form: { grant_type: 'refresh_token', refresh_token: 'x' } },
      refused('unauthorized_client'),
    ],
    [
      '§5.1',
      'refresh_token OPTIONAL. The refresh token, which can be used to obtain new access tokens',
      'all is right',
      {},
      goesWell({ refresh_token: undefined }),
    ],
  ]),
]

export const rfc6749Token = [...redeeming, ...spent, ...clients, ...refreshing]

async function redeemedCode(made: Parameters<typeof issueCode>[0]) {
  const { code, codeVerifier } = await issueCode(made, 'portal')
  const form = { code, code_verifier: codeVerifier }
  const { clients, issuer } = made
  const authorization = `Basic ${btoa(`portal:${clients.portal.secret}`)}`
  const body = new URLSearchParams({ grant_type: 'authorization_code', redirect_uri: redirectUri, ...form })
  const answer = await fetch(`${issuer}/oauth2/token`, { method: 'POST', headers: { authorization }, body })
  if (!answer.ok) throw new Error(`the code was not redeemed: ${await answer.text()}`)
  return form
}

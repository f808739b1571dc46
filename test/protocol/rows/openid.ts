// OpenID Connect Core at the authorization endpoint: §3.1.2.1, §3.1.2.2, §3.1.2.6, §5.5, §6, and userinfo: §5.3.
import { issueServiceToken, issueTokens } from '../../support/protocol/endpoints.ts'
import { asks, family, goesWell, redirected, refused } from '../../support/protocol/row.ts'

const alone = 'If this parameter contains "none" with any other value, an error is returned'
const silent = 'The Authorization Server MUST NOT display any authentication or consent user interface pages'
const hint = 'if the ID Token is not valid or the End-User identified by it is not logged in, an error is returned'
const claimsSyntax = 'The value is a JSON object listing the requested Claims'
const challenge = (error: string) => ({ 'www-authenticate': new RegExp(`^(Bearer|DPoP) .*error="${error}"`) })
const hintOf = (idToken: string) => ({ form: { id_token_hint: idToken, prompt: 'none' } })
const arrayOfValues = 'values OPTIONAL. Requests that the Claim be returned with one of a set of values … The value of this member is a JSON array'
const twoFactors = 'urn:authy2:acr:2'
const acrClaim = (acr: object) => ({ form: { claims: JSON.stringify({ id_token: { acr } }) } })
const spec = 'OpenID Connect Core'

const prompts = family({ spec, at: 'authorize' }, [
  ['§3.1.2.1', alone, 'prompt is none login', { form: { prompt: 'none login' } }, redirected('invalid_request')],
  ['§3.1.2.1', alone, 'prompt is consent none', { form: { prompt: 'consent none' } }, redirected('invalid_request')],
  [
    '§3.1.2.1',
    'Space-delimited, case-sensitive list of ASCII string values',
    'prompt is unknown',
    { form: { prompt: 'unheard_of' } },
    redirected('invalid_request'),
  ],
  [
    '§3.1.2.1',
    'Space-delimited, case-sensitive list of ASCII string values',
    'prompt is in capitals',
    { form: { prompt: 'NONE' } },
    redirected('invalid_request'),
  ],
  [
    '§3.1.2.6',
    'login_required: The Authorization Server requires End-User authentication',
    'prompt is none and nobody is signed in',
    ({ nobody }) => ({ form: { prompt: 'none' }, person: nobody() }),
    redirected('login_required'),
  ],
  [
    '§3.1.2.6',
    'consent_required: The Authorization Server requires End-User consent',
    'prompt is none and nobody consented',
    { form: { prompt: 'none', client_id: 'thirdParty' } },
    redirected('consent_required'),
  ],
  ['§3.1.2.1', silent, 'prompt is none and all is there', { form: { prompt: 'none' } }, goesWell()],
  ['§3.1.2.1', 'The Authorization Server SHOULD prompt the End-User for reauthentication', 'prompt is login', { form: { prompt: 'login' } }, asks],
  ['§3.1.2.1', 'The Authorization Server SHOULD prompt the End-User for consent', 'prompt is consent', { form: { prompt: 'consent' } }, asks],
  ['§3.1.2.1', 'the OP MUST attempt to actively re-authenticate the End-User', 'max_age is 0', { form: { max_age: '0' } }, asks],
  [
    '§3.1.2.6',
    'login_required: The Authorization Server requires End-User authentication',
    'max_age is 0 and prompt none',
    { form: { max_age: '0', prompt: 'none' } },
    redirected('login_required'),
  ],
  ['§3.1.2.1', 'Specifies the allowable elapsed time in seconds', 'max_age is negative', { form: { max_age: '-1' } }, redirected('invalid_request')],
  ['§3.1.2.1', 'Specifies the allowable elapsed time in seconds', 'max_age is no number', { form: { max_age: 'soon' } }, redirected('invalid_request')],
  ['§3.1.2.1', 'Specifies the allowable elapsed time in seconds', 'max_age is a fraction', { form: { max_age: '1.5' } }, redirected('invalid_request')],
  ['§3.1.2.1', 'Specifies the allowable elapsed time in seconds', 'max_age is far', { form: { max_age: '100000' } }, goesWell()],
])

const parameters = family({ spec, at: 'authorize' }, [
  ['§3.1.2.1', 'Not understood values are ignored by a display that knows none', 'display is popup', { form: { display: 'popup' } }, goesWell()],
  [
    '§3.1.2.1',
    'An error SHOULD NOT result if some or all of the requested locales are not supported',
    'ui_locales are unknown',
    { form: { ui_locales: 'tlh x-unheard' } },
    goesWell(),
  ],
  [
    '§5.2',
    'An error SHOULD NOT be returned if some or all of the requested locales are not supported',
    'claims_locales are unknown',
    { form: { claims_locales: 'tlh' } },
    goesWell(),
  ],
  [
    '§3.1.2.1',
    'The use of this parameter is left to the OP’s discretion',
    'login_hint is of nobody',
    { form: { login_hint: 'nobody@nowhere.example' } },
    goesWell(),
  ],
  [
    '§5.5.1.1',
    'acr as a Voluntary Claim is not an error when it cannot be met',
    'acr_values are unknown',
    { form: { acr_values: 'urn:unheard:of' } },
    goesWell(),
  ],
  ['§3.1.2.1', 'OPTIONAL. String value used to associate a Client session with an ID Token', 'nonce is left out', { form: { nonce: undefined } }, goesWell()],
  [
    '§3.1.2.1',
    'If the openid scope value is not present, the behavior is entirely unspecified',
    'openid is left out, and nonce',
    { form: { scope: 'profile', nonce: undefined } },
    goesWell(),
  ],
  ['§3.1.2.1', hint, 'id_token_hint is no JWT', { form: { id_token_hint: 'unheard-of' } }, redirected('invalid_request')],
  [
    '§3.1.2.1',
    hint,
    'id_token_hint is signed by another',
    ({ idToken }) => hintOf(`${idToken.split('.').slice(0, 2).join('.')}.${'A'.repeat(342)}`),
    redirected('invalid_request'),
  ],
  [
    '§3.1.2.1',
    'The Authorization Server need not be listed as an audience of the ID Token when it is used as an id_token_hint',
    'id_token_hint is another client’s',
    ({ idToken }) => hintOf(idToken),
    redirected('invalid_request'),
  ],
  [
    '§3.1.2.1',
    'If the End-User identified by the ID Token is already logged in, then the Authorization Server returns a positive response',
    'id_token_hint is the person’s',
    async made => hintOf((await issueTokens(made, 'portal')).idToken),
    goesWell(),
  ],
  [
    '§3.1.2.1',
    hint,
    'id_token_hint is of a person who is not signed in',
    async made => ({ ...hintOf((await issueTokens(made, 'portal')).idToken), person: made.nobody() }),
    redirected('login_required'),
  ],
  [
    '§6.2.2',
    'request_uri_not_supported: the OP does not support use of the request_uri parameter',
    'request_uri is an address',
    { form: { request_uri: 'https://app.example/request.jwt' } },
    redirected('request_uri_not_supported'),
  ],
  [
    '§7.2.1',
    'registration_not_supported: the OP does not support use of the registration parameter',
    'registration is sent',
    { form: { registration: '{}' } },
    redirected('registration_not_supported'),
  ],
  [
    '§6.1',
    'request and request_uri parameters MUST NOT be used together',
    'both are sent',
    { form: { request: 'a.b.c', request_uri: 'urn:ietf:params:oauth:request_uri:x' } },
    redirected('invalid_request'),
  ],
])

const claims = family({ spec, at: 'authorize' }, [
  ['§5.5', claimsSyntax, 'claims is no JSON', { form: { claims: '{' } }, redirected('invalid_request')],
  ['§5.5', claimsSyntax, 'claims is a list', { form: { claims: '[]' } }, redirected('invalid_request')],
  ['§5.5', claimsSyntax, 'claims is text', { form: { claims: '"x"' } }, redirected('invalid_request')],
  ['§5.5', 'userinfo: lists the individual Claims', 'claims.userinfo is a list', { form: { claims: '{"userinfo":[]}' } }, redirected('invalid_request')],
  ['§5.5', 'id_token: lists the individual Claims', 'claims.id_token is text', { form: { claims: '{"id_token":"x"}' } }, redirected('invalid_request')],
  [
    '§5.5',
    'Any members used that are not understood MUST be ignored',
    'claims has another member too',
    { form: { claims: '{"id_token":{"email":null},"unheard_of":1}' } },
    goesWell(),
  ],
  [
    '§5.5.1',
    'the Authorization Server MUST NOT generate an error when Claims are not returned, whether they are Essential or Voluntary',
    'an unknown claim is essential',
    { form: { claims: '{"id_token":{"unheard_of":{"essential":true}}}' } },
    goesWell(),
  ],
  [
    '§3.1.2.2',
    'If the sub Claim is requested with a specific value, the Authorization Server MUST only send a positive response if the End-User identified by that sub value has an active session',
    'claims asks for another sub',
    { form: { prompt: 'none', claims: '{"id_token":{"sub":{"value":"somebody-else"}}}' } },
    redirected('login_required'),
  ],
  [
    '§3.1.2.2',
    'If the sub Claim is requested with a specific value',
    'claims asks for the person’s sub',
    ({ sub }) => ({ form: { prompt: 'none', claims: JSON.stringify({ id_token: { sub: { value: sub } } }) } }),
    goesWell(),
  ],
  [
    '§5.5.1.1',
    'If this is an Essential Claim and the requirement cannot be met, then the Authorization Server MUST treat that outcome as a failed authentication attempt',
    'an unknown acr is essential',
    { form: { claims: '{"id_token":{"acr":{"essential":true,"values":["urn:unheard:of"]}}}' } },
    redirected('unmet_authentication_requirements'),
  ],
  ['§5.5.1', arrayOfValues, 'the values of an essential acr are one text', acrClaim({ essential: true, values: twoFactors }), redirected('invalid_request')],
  ['§5.5.1', arrayOfValues, 'a value of acr is a number', acrClaim({ essential: true, values: [twoFactors, 2] }), redirected('invalid_request')],
  [
    '§5.5.1',
    'value OPTIONAL. Requests that the Claim be returned with a particular value',
    'the value of an essential acr is a list',
    acrClaim({ essential: true, value: [twoFactors] }),
    redirected('invalid_request'),
  ],
  [
    '§5.5.1',
    'essential OPTIONAL. Indicates whether the Claim being requested is an Essential Claim … boolean',
    'an acr is essential by a text',
    acrClaim({ essential: 'true', values: [twoFactors] }),
    redirected('invalid_request'),
  ],
])

const userinfo = [
  ...family({ spec, at: 'userinfo' }, [
    [
      '§5.3.2',
      'The sub (subject) Claim MUST always be returned in the UserInfo Response',
      'all is right',
      {},
      goesWell({ sub: /./ }, { 'content-type': /^application\/json/, 'cache-control': /no-store/ }),
    ],
    ['§5.3', 'MUST support the use of the HTTP GET and HTTP POST methods', 'it is posted', { method: 'POST' }, goesWell({ sub: /./ })],
    ['§5.3', 'MUST accept Access Tokens as OAuth 2.0 Bearer Token Usage', 'it is put', { method: 'PUT' }, { by: 'method', allow: 'GET, HEAD, POST' }],
    [
      '§5.3.3',
      'the UserInfo Endpoint returns an Error Response as defined in Section 3 of RFC 6750',
      'the token is unknown',
      { headers: { authorization: 'Bearer unheard-of' } },
      refused('invalid_token', 401, challenge('invalid_token')),
    ],
    [
      '§5.3.3',
      'the UserInfo Endpoint returns an Error Response as defined in Section 3 of RFC 6750',
      'the token is a service’s own',
      async made => ({ headers: { authorization: `Bearer ${await issueServiceToken(made)}` } }),
      refused('invalid_token', 401, challenge('invalid_token')),
    ],
    [
      '§5.3.3',
      'the UserInfo Endpoint returns an Error Response as defined in Section 3 of RFC 6750',
      'the token is a refresh token',
      async made => ({ headers: { authorization: `Bearer ${(await issueTokens(made, 'portal')).refreshToken}` } }),
      refused('invalid_token', 401, challenge('invalid_token')),
    ],
    [
      '§5.3.1',
      'The Access Token obtained from an OpenID Connect Authentication Request',
      'the token is for an API',
      async made => ({
        headers: {
          authorization: `Bearer ${(await issueTokens(made, 'portal', { asked: { resource: 'http://localhost:4000/api/es256', scope: 'openid read' } })).accessToken}`,
        },
      }),
      refused('invalid_token', 401, challenge('invalid_token')),
    ],
    [
      '§5.3.1',
      'The Access Token obtained from an OpenID Connect Authentication Request',
      'the token was issued without openid',
      async made => ({ headers: { authorization: `Bearer ${(await issueTokens(made, 'portal', { asked: { scope: 'profile', nonce: [] } })).accessToken}` } }),
      refused('insufficient_scope', 403, challenge('insufficient_scope')),
    ],
  ]),
  ...family({ spec: 'RFC 6750', at: 'userinfo' }, [
    [
      '§3.1',
      'repeats the same parameter, uses more than one method for including an access token',
      'the token is in header and body',
      { method: 'POST', form: { access_token: 'x' } },
      refused('invalid_request', 400, challenge('invalid_request')),
    ],
    [
      '§2.3',
      'clients SHOULD NOT pass it in the URI',
      'the token is in the address',
      { headers: { authorization: undefined }, form: { access_token: 'x' } },
      refused('invalid_request', 400, challenge('invalid_request')),
    ],
    [
      '§2.1',
      'credentials = "Bearer" 1*SP b64token',
      'the header has another scheme',
      { headers: { authorization: 'Basic eDp5' } },
      refused('invalid_request', 400, challenge('invalid_request')),
    ],
    [
      '§2.1',
      'credentials = "Bearer" 1*SP b64token',
      'the header has three parts',
      { headers: { authorization: 'Bearer a b' } },
      refused('invalid_request', 400, challenge('invalid_request')),
    ],
    [
      '§3.1',
      'The access token expired, revoked, malformed, or invalid for other reasons',
      'the token has one letter more',
      async made => ({ headers: { authorization: `Bearer ${(await issueTokens(made, 'portal')).accessToken}x` } }),
      refused('invalid_token', 401, challenge('invalid_token')),
    ],
    [
      '§3',
      'the resource server MUST include the HTTP "WWW-Authenticate" response header field',
      'no token is sent',
      { headers: { authorization: undefined } },
      refused('invalid_token', 401, { 'www-authenticate': /^Bearer realm="[^"]+"(?!.*error=)/ }),
    ],
  ]),
]

export const openid = [...prompts, ...parameters, ...claims, ...userinfo]

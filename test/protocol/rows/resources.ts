// Resource indicators (RFC 8707) and how clients prove who they are by JWT (RFC 7523 §3, OpenID Connect Core §9).
import { none } from '../../support/protocol/ask.ts'
import { issueServiceToken, issueTokens } from '../../support/protocol/endpoints.ts'
import { family, goesWell, redirected, refused } from '../../support/protocol/row.ts'

const absolute = 'Its value MUST be an absolute URI'
const fragment = 'The URI MUST NOT include a fragment component'
const target = 'The requested resource is invalid, missing, unknown, or malformed'
const rsa = 'http://localhost:4000/api/rs256'
const past = () => Math.floor(Date.now() / 1000) - 3600
const ahead = () => Math.floor(Date.now() / 1000) + 3600

// The engine uses a code up before it looks at what resource is asked for: those rows are spent.
const indicators = [
  ...family({ spec: 'RFC 8707', at: 'authorize' }, [
    ['§2', target, 'resource is unknown', { form: { resource: 'https://unheard.of/' } }, redirected('invalid_target')],
    ['§2', absolute, 'resource is a path', { form: { resource: '/api/es256' } }, redirected('invalid_target')],
    ['§2', absolute, 'resource is a word', { form: { resource: 'api' } }, redirected('invalid_target')],
    ['§2', fragment, 'resource has a fragment', { form: { resource: 'http://localhost:4000/api/es256#x' } }, redirected('invalid_target')],
    [
      '§2',
      'Multiple resource parameters MAY be used',
      'resource comes twice and one is unknown',
      { form: { resource: ['http://localhost:4000/api/es256', 'https://unheard.of/'] } },
      redirected('invalid_target'),
    ],
    [
      '§2',
      'Multiple resource parameters MAY be used',
      'resource comes twice and one is a word that every object knows',
      { form: { resource: ['http://localhost:4000/api/es256', 'constructor'], scope: 'openid read' } },
      redirected('invalid_target'),
    ],
    ['§2', 'Multiple resource parameters MAY be used', 'resource comes twice', { form: { resource: ['http://localhost:4000/api/es256', rsa] } }, goesWell()],
    [
      '§2.1',
      'RFC 6749 §3.3: the authorization server may refuse a scope',
      'no scope is the resource’s',
      { form: { resource: rsa, scope: 'openid unheard_of' } },
      redirected('invalid_scope'),
    ],
    [
      '§2.1',
      'OpenID Connect Core §3.1.2.1: scope values that are not understood SHOULD be ignored',
      'one scope is the resource’s',
      { form: { resource: rsa, scope: 'openid read unheard_of' } },
      goesWell(),
    ],
    [
      '§2.1',
      'RFC 6749 §3.3: the authorization server may ignore a part of the scope',
      'no scope is asked of the resource',
      { form: { resource: rsa, scope: 'openid email' } },
      goesWell(),
    ],
    ['§2', target, 'resource has a slash more', { form: { resource: 'http://localhost:4000/api/es256/' } }, redirected('invalid_target')],
  ]),
  ...family({ spec: 'RFC 8707', at: 'redeem for a resource' }, [
    ['§2.2', 'the resource the access token is for', 'all is right', {}, goesWell({ access_token: /^eyJ/, scope: 'read' })],
    [
      '§2.2',
      'a subset of the resources originally granted',
      'resource was not granted',
      { form: { resource: rsa } },
      refused('invalid_target'),
      { isSpent: true },
    ],
    ['§2.2', target, 'resource is unknown', { form: { resource: 'https://unheard.of/' } }, refused('invalid_target'), { isSpent: true }],
    ['§2', absolute, 'resource is a word', { form: { resource: 'api' } }, refused('invalid_target'), { isSpent: true }],
    [
      '§2.2',
      'the client omits resource: the authorization server’s policy',
      'resource is left out',
      { form: { resource: undefined } },
      goesWell({ access_token: /^eyJ/, scope: 'read' }),
    ],
  ]),
  ...family({ spec: 'RFC 8707', at: 'redeem' }, [
    [
      '§2.2',
      'a subset of the resources originally granted',
      'resource comes where none was granted',
      { form: { resource: rsa } },
      refused('invalid_target'),
      { isSpent: true },
    ],
  ]),
  ...family({ spec: 'RFC 8707', at: 'refresh for a resource' }, [
    ['§2.2', 'the resource the access token is for', 'all is right', {}, goesWell({ access_token: /^eyJ/ })],
    [
      '§2.2',
      'a subset of the resources originally granted',
      'resource was not granted',
      { form: { resource: rsa } },
      refused('invalid_target'),
      { isSpent: true },
    ],
    ['§2.2', target, 'resource is unknown', { form: { resource: 'https://unheard.of/' } }, refused('invalid_target'), { isSpent: true }],
    ['§2.2', 'scope as it applies to the resource', 'only scopes that are no resource’s are asked again', { form: { scope: 'openid' } }, goesWell()],
  ]),
  ...family({ spec: 'RFC 8707', at: 'ask as a service for a resource' }, [
    ['§2.2', 'the resource the access token is for', 'all is right', {}, goesWell({ access_token: /^eyJ/, scope: 'read', token_type: 'Bearer' })],
    ['§2', target, 'resource is unknown', { form: { resource: 'https://unheard.of/' } }, refused('invalid_target')],
    ['§2', absolute, 'resource is a path', { form: { resource: '/api' } }, refused('invalid_target')],
    ['§2', fragment, 'resource has a fragment', { form: { resource: `${rsa}#x` } }, refused('invalid_target')],
    [
      '§2.2',
      'may be unable to issue a token for several',
      'resource comes twice',
      { form: { resource: ['http://localhost:4000/api/es256', rsa] } },
      refused('invalid_target'),
    ],
    ['§2.2', 'scope as it applies to the resource', 'a scope is not the resource’s', { form: { scope: 'read unheard_of' } }, goesWell({ scope: 'read' })],
    ['§2.2', 'scope as it applies to the resource', 'no scope is the resource’s', { form: { scope: 'unheard_of' } }, refused('invalid_scope')],
  ]),
]

const assertions = (['keyed', 'hmac'] as const).flatMap(client =>
  family({ spec: 'RFC 7523', at: 'ask as a service', client }, [
    ['§2.2', 'The value of client_assertion_type is urn:ietf:params:oauth:client-assertion-type:jwt-bearer', 'all is right', {}, goesWell()],
    ['§3 (1)', 'The JWT MUST contain an "iss" claim', 'iss is missing', { assertion: { claims: { iss: none } } }, refused('invalid_client', 401)],
    [
      '§3 (1)',
      'OpenID Connect Core §9: iss REQUIRED. This MUST contain the client_id of the OAuth Client',
      'iss is another',
      { assertion: { claims: { iss: 'portal' } } },
      refused('invalid_client', 401),
    ],
    [
      '§3 (2)',
      'For client authentication, the subject MUST be the "client_id" of the OAuth client',
      'sub is another',
      { assertion: { claims: { sub: 'portal' } } },
      refused('invalid_client', 401),
    ],
    ['§3 (2)', 'The JWT MUST contain a "sub" claim', 'sub is missing', { assertion: { claims: { sub: none } } }, refused('invalid_client', 401)],
    [
      '§3 (3)',
      'The authorization server MUST reject any JWT that does not contain its own identity as the intended audience',
      'aud is another',
      { assertion: { claims: { aud: 'https://elsewhere.example' } } },
      refused('invalid_client', 401),
    ],
    ['§3 (3)', 'The JWT MUST contain an "aud" claim', 'aud is missing', { assertion: { claims: { aud: none } } }, refused('invalid_client', 401)],
    ['§3 (4)', 'The JWT MUST contain an "exp" claim', 'exp is missing', { assertion: { claims: { exp: none } } }, refused('invalid_client', 401)],
    [
      '§3 (4)',
      'The authorization server MUST reject any JWT with an expiration time that has passed',
      'exp is past',
      () => ({ assertion: { claims: { exp: past() } } }),
      refused('invalid_client', 401),
    ],
    [
      '§3 (5)',
      'the time before which the token MUST NOT be accepted for processing',
      'nbf is ahead',
      () => ({ assertion: { claims: { nbf: ahead() } } }),
      refused('invalid_client', 401),
    ],
    ['§3 (7)', 'OpenID Connect Core §9: jti REQUIRED', 'jti is missing', { assertion: { claims: { jti: none } } }, refused('invalid_client', 401)],
    [
      '§3 (9)',
      'The authorization server MUST reject any JWT with an invalid signature',
      'another key signed it',
      ({ keys }) => ({ assertion: { key: client === 'keyed' ? keys.other.key : Buffer.from('another secret of some length, long enough') } }),
      refused('invalid_client', 401),
    ],
    ['§3 (9)', 'The JWT MUST be digitally signed or have a MAC', 'it is not signed', { assertion: { key: undefined } }, refused('invalid_client', 401)],
    [
      '§3.2',
      'If the client JWT is not valid … invalid_client',
      'it is no JWT',
      { assertion: undefined, form: { client_assertion: 'unheard-of' } },
      refused('invalid_request'),
    ],
    [
      'RFC 7521 §4.2',
      'client_assertion_type REQUIRED. The format of the assertion',
      'client_assertion_type is missing',
      { form: { client_assertion_type: undefined } },
      refused('invalid_request'),
    ],
    [
      'RFC 7521 §4.2',
      'client_assertion_type REQUIRED. The format of the assertion',
      'client_assertion_type is unknown',
      { form: { client_assertion_type: 'unheard:of' } },
      refused('invalid_request'),
    ],
    [
      'RFC 7521 §4.2',
      'The client MUST NOT include more than one authentication mechanism',
      'a secret stands beside it',
      { form: { client_secret: 'a secret of some length' } },
      refused('invalid_request'),
    ],
    ['RFC 7521 §4.2', 'client_id … MUST identify the same client', 'client_id is another’s', { form: { client_id: 'portal' } }, refused('invalid_request')],
    [
      'RFC 7521 §4.2',
      'client_assertion REQUIRED. The assertion being used to authenticate the client',
      'client_assertion is missing',
      { assertion: undefined, form: { client_id: client } },
      refused('invalid_client', 401),
    ],
  ]),
)

const tokens = [
  ...family({ spec: 'RFC 7662', at: 'introspect' }, [
    [
      '§2.2',
      'active REQUIRED. Boolean indicator of whether or not the presented token is currently active',
      'all is right',
      {},
      goesWell(
        { active: true, client_id: 'portal', token_type: 'Bearer', iss: /^http/ },
        { 'content-type': /^application\/json/, 'cache-control': /no-store/ },
      ),
    ],
    ['§2.1', 'token REQUIRED. The string value of the token', 'token is missing', { form: { token: undefined } }, refused('invalid_request')],
    ['§2.1', 'token REQUIRED. The string value of the token', 'token is empty', { form: { token: '' } }, refused('invalid_request')],
    [
      '§2.1',
      'If the server is unable to locate the token using the given hint, it MUST extend its search',
      'token_type_hint is of another kind',
      { form: { token_type_hint: 'refresh_token' } },
      goesWell({ active: true }),
    ],
    [
      '§2.1',
      'An authorization server MAY ignore this parameter',
      'token_type_hint is unknown',
      { form: { token_type_hint: 'unheard_of' } },
      goesWell({ active: true }),
    ],
    [
      '§2.3',
      'responds with an HTTP 401 (Unauthorized) as described in Section 5.2 of OAuth 2.0',
      'the secret is wrong',
      { basic: { secret: 'a secret that is another' } },
      refused('invalid_client', 401, { 'www-authenticate': /^Basic / }),
    ],
    [
      '§2.1',
      'To prevent token scanning attacks, the endpoint MUST also require some form of authorization',
      'nobody says who asks',
      { basic: undefined },
      refused('invalid_client', 401),
    ],
    [
      '§2.1',
      'To prevent token scanning attacks, the endpoint MUST also require some form of authorization',
      'a public client asks',
      { basic: undefined, form: { client_id: 'spa' } },
      refused('invalid_client', 401, { 'www-authenticate': /^Basic / }),
    ],
    [
      '§2.1',
      'To prevent token scanning attacks, the endpoint MUST also require some form of authorization',
      'a public client asks for its own token',
      async made => ({ basic: undefined, form: { client_id: 'spa', token: (await issueTokens(made, 'spa')).accessToken } }),
      refused('invalid_client', 401, { 'www-authenticate': /^Basic / }),
    ],
    [
      '§2.1',
      'To prevent token scanning attacks, the endpoint MUST also require some form of authorization',
      'a public client asks for a token that nobody was issued',
      { basic: undefined, form: { client_id: 'spa', token: 'unheard-of' } },
      refused('invalid_client', 401, { 'www-authenticate': /^Basic / }),
    ],
    [
      '§2.1',
      'To prevent token scanning attacks, the endpoint MUST also require some form of authorization',
      'the client does not authenticate',
      { basic: undefined, form: { client_id: 'portal' } },
      refused('invalid_client', 401),
    ],
    ['§2.1', 'The client … using HTTP POST, with parameters in the request body', 'it is got', { method: 'GET' }, { by: 'method', allow: 'POST' }],
    [
      '§2.1',
      'sent as "application/x-www-form-urlencoded" data',
      'the body is JSON',
      { body: '{"token":"x"}', headers: { 'content-type': 'application/json' } },
      refused('invalid_request'),
    ],
    ['§2.1', 'RFC 6749 §3.2: not more than once', 'token comes twice', { form: { token: ['a', 'b'] } }, refused('invalid_request')],
  ]),
  ...family({ spec: 'RFC 7009', at: 'revoke' }, [
    ['§2.2', 'The authorization server responds with HTTP status code 200 if the token has been revoked successfully', 'all is right', {}, goesWell()],
    ['§2.2', 'invalid tokens do not cause an error response', 'token is unknown', { form: { token: 'unheard-of' } }, goesWell()],
    ['§2.1', 'token REQUIRED. The string value of the token', 'token is missing', { form: { token: undefined } }, refused('invalid_request')],
    ['§2.1', 'token REQUIRED. The string value of the token', 'token is empty', { form: { token: '' } }, refused('invalid_request')],
    [
      '§2.2',
      'An invalid token type hint value is ignored by the authorization server',
      'token_type_hint is unknown',
      { form: { token_type_hint: 'unheard_of' } },
      goesWell(),
    ],
    [
      '§2.2',
      'The authorization server responds with HTTP status code 200 if the token has been revoked successfully',
      'the token is a JWT',
      async made => ({ form: { token: await issueServiceToken(made, 'portal', { resource: rsa }) } }),
      goesWell(),
    ],
    [
      '§2.1',
      'The authorization server first validates the client credentials',
      'the secret is wrong',
      { basic: { secret: 'a secret that is another' } },
      refused('invalid_client', 401, { 'www-authenticate': /^Basic / }),
    ],
    [
      '§2.1',
      'The authorization server first validates the client credentials',
      'the client does not authenticate',
      { basic: undefined, form: { client_id: 'portal' } },
      refused('invalid_client', 401),
    ],
    ['§2.1', 'The authorization server first validates the client credentials', 'nobody says who asks', { basic: undefined }, refused('invalid_client', 401)],
    ['§2.1', 'The client … using HTTP POST, with parameters in the request body', 'it is got', { method: 'GET' }, { by: 'method', allow: 'POST' }],
    ['§2.1', 'RFC 6749 §3.2: not more than once', 'token comes twice', { form: { token: ['a', 'b'] } }, refused('invalid_request')],
  ]),
]

export const resources = [...indicators, ...assertions, ...tokens]

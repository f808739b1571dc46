// Requests that nobody on the way can change: RFC 9126 (pushed) and RFC 9101 (signed).
import { none } from '../../support/protocol/ask.ts'
import { right } from '../../support/protocol/endpoints.ts'
import type { Made } from '../../support/protocol/made.ts'
import { family, goesWell, onPage, redirected, refused } from '../../support/protocol/row.ts'
import { redirectUri } from '../../support/relying-party.ts'

const asToken = 'The AS MUST process the request … Authenticate the client in the same way as at the token endpoint'
const validate = 'Validate the pushed request as it would an authorization request sent to the authorization endpoint'
const failed = 'error codes as in RFC 6749 §5.2 and §4.1.2.1'
const past = () => Math.floor(Date.now() / 1000) - 3600
const ahead = () => Math.floor(Date.now() / 1000) + 3600

const pushing = [
  ...family({ spec: 'RFC 9126', at: 'push' }, [
    [
      '§2.2',
      'returns a successful response with the HTTP status code 201',
      'all is right',
      {},
      goesWell(
        { request_uri: /^urn:ietf:params:oauth:request_uri:[\w-]{20,}$/, expires_in: 60 },
        { 'content-type': /^application\/json/, 'cache-control': /no-store/ },
      ),
    ],
    [
      '§2.1',
      'The request_uri authorization request parameter is one exception, and it MUST NOT be provided',
      'request_uri is pushed',
      { form: { request_uri: 'urn:ietf:params:oauth:request_uri:x' } },
      refused('request_uri_not_supported'),
    ],
    [
      '§2.1',
      asToken,
      'the secret is wrong',
      { basic: { secret: 'a secret that is another' } },
      refused('invalid_client', 401, { 'www-authenticate': /^Basic / }),
    ],
    ['§2.1', asToken, 'the client does not authenticate', { basic: undefined, form: { client_id: 'portal' } }, refused('invalid_client', 401)],
    ['§2.1', asToken, 'nobody says who asks', { basic: undefined, form: { client_id: undefined } }, refused('invalid_client', 401)],
    ['§2.1', asToken, 'client_id is another’s than the header’s', { form: { client_id: 'stranger' } }, refused('invalid_request')],
    ['§2.3', validate, 'redirect_uri is of another host', { form: { redirect_uri: 'https://elsewhere.example/' } }, refused('invalid_request')],
    [
      '§2.1',
      'the parameters that comprise an authorization request, including client_id',
      'client_id is missing beside the header',
      { form: { client_id: undefined } },
      refused('invalid_request'),
    ],
    ['§2.3', validate, 'redirect_uri is missing', { form: { redirect_uri: undefined } }, refused('invalid_request')],
    ['§2.3', validate, 'response_type is missing', { form: { response_type: undefined } }, refused('invalid_request')],
    ['§2.3', failed, 'response_type is unknown', { form: { response_type: 'x' } }, refused('unsupported_response_type')],
    ['§2.3', failed, 'scope has a quotation mark', { form: { scope: '"' } }, refused('invalid_scope')],
    ['§2.3', failed, 'response_mode is unknown', { form: { response_mode: 'unheard_of' } }, refused('unsupported_response_mode')],
    ['§2.3', validate, 'code_challenge_method is plain', { form: { code_challenge_method: 'plain' } }, refused('invalid_request')],
    ['§2.3', validate, 'code_challenge is missing', { form: { code_challenge: undefined, code_challenge_method: undefined } }, refused('invalid_request')],
    ['§2.3', validate, 'prompt is none login', { form: { prompt: 'none login' } }, refused('invalid_request')],
    ['§2.3', validate, 'max_age is no number', { form: { max_age: 'soon' } }, refused('invalid_request')],
    ['§2.3', validate, 'claims is no JSON', { form: { claims: '{' } }, refused('invalid_request')],
    ['§2.3', validate, 'resource is unknown', { form: { resource: 'https://unheard.of/' } }, refused('invalid_target')],
    ['§2.3', validate, 'id_token_hint is no JWT', { form: { id_token_hint: 'x' } }, refused('invalid_request')],
    ['§2.3', validate, 'registration is sent', { form: { registration: '{}' } }, refused('registration_not_supported')],
    ['§2.3', validate, 'state comes twice', { form: { state: ['one', 'two'] } }, refused('invalid_request')],
    [
      '§2.3',
      'If the request did not use the POST method, the authorization server responds with an HTTP 405',
      'it is got',
      { method: 'GET' },
      { by: 'method', allow: 'POST' },
    ],
    ['§2.3', '413 where the request size was beyond the upper bound', 'it is large', { form: { state: 'x'.repeat(60_000) } }, refused('invalid_request', 413)],
  ]),
  ...family({ spec: 'RFC 9126', at: 'authorize with a pushed request' }, [
    ['§2.2', 'The request_uri value MUST be … one-time use', 'it was used', used, onPage('invalid_request_uri')],
    [
      '§4',
      'the request URI MUST be bound to the client that posted the authorization request',
      'another client uses it',
      { form: { client_id: 'stranger' } },
      onPage('invalid_request_object'),
    ],
    [
      '§4',
      'The client uses the request_uri value … by adding client_id and request_uri',
      'client_id is missing',
      { form: { client_id: undefined } },
      onPage('invalid_request'),
    ],
    [
      '§2.2',
      'cryptographically strong pseudorandom … so that it cannot be guessed',
      'it is made up',
      { form: { request_uri: 'urn:ietf:params:oauth:request_uri:unheard-of' } },
      onPage('invalid_request_uri'),
    ],
    [
      '§4',
      'Clients are encouraged to use the request URI as the only parameter besides client_id',
      'other parameters stand beside it',
      { form: { scope: '"', redirect_uri: 'https://elsewhere.example/', state: 'another' } },
      goesWell({ state: /^[\w-]{43}$/ }),
    ],
  ]),
  ...family({ spec: 'RFC 9126', at: 'push', client: 'spa' }, [
    ['§2.1', 'The rules for client authentication … apply for the PAR endpoint as well, public clients included', 'all is right', {}, goesWell()],
    [
      '§2.1',
      'The rules for client authentication … apply for the PAR endpoint as well, public clients included',
      'it brings a secret',
      { form: { client_secret: 'a secret it never had' } },
      refused('invalid_client', 401),
    ],
  ]),
  ...family({ spec: 'RFC 9126', at: 'authorize with a pushed request', client: 'pushing' }, [
    ['§6', 'require_pushed_authorization_requests: only PAR is allowed from the client', 'it asks without pushing', plainly, redirected('invalid_request')],
  ]),
]

const signing = [
  ...family({ spec: 'RFC 9101', at: 'authorize with a request object', client: 'signing' }, [
    [
      '§4',
      'The Request Object MUST be signed (or signed and encrypted)',
      'it is not signed',
      { requestObject: { key: undefined } },
      onPage('invalid_request_object'),
    ],
    [
      '§6.2',
      'The signature MUST be validated using a key associated with the client',
      'another key signed it',
      ({ keys }) => ({ requestObject: { key: keys.other.key } }),
      onPage('invalid_request_object'),
    ],
    [
      '§6.1',
      'invalid_request_object: The request parameter contains an invalid Request Object',
      'it is no JWT',
      { requestObject: undefined, form: { request: 'unheard-of' } },
      onPage('invalid_request_object'),
    ],
    [
      '§5',
      'request and request_uri … MUST NOT be used together',
      'request_uri stands beside it',
      { form: { request_uri: 'urn:ietf:params:oauth:request_uri:x' } },
      onPage('invalid_request'),
    ],
    [
      '§5',
      'The client_id value MUST be the same',
      'client_id inside is another',
      { requestObject: { claims: { client_id: 'portal' } } },
      onPage('invalid_request_object'),
    ],
    [
      'OpenID Connect Core §6.1',
      'response_type … MUST match those in the Request Object',
      'response_type outside is another',
      { form: { response_type: 'none' } },
      onPage('invalid_request_object'),
    ],
    [
      '§4',
      'request and request_uri parameters MUST NOT be included in Request Objects',
      'request stands inside',
      { requestObject: { claims: { request: 'x' } } },
      onPage('invalid_request_object'),
    ],
    [
      '§4',
      'request and request_uri parameters MUST NOT be included in Request Objects',
      'request_uri stands inside',
      { requestObject: { claims: { request_uri: 'urn:x' } } },
      onPage('invalid_request_object'),
    ],
    [
      '§4',
      'If a Request Object is signed, it SHOULD contain iss (issuer) … The value of iss is the client_id',
      'iss is another',
      { requestObject: { claims: { iss: 'portal' } } },
      onPage('invalid_request_object'),
    ],
    [
      '§4',
      'The value of aud should be the value of the authorization server issuer',
      'aud is another',
      { requestObject: { claims: { aud: 'https://elsewhere.example' } } },
      onPage('invalid_request_object'),
    ],
    [
      '§10.2',
      'the exp claim … expiration time on or after which the JWT MUST NOT be accepted',
      'exp is past',
      () => ({ requestObject: { claims: { exp: past() } } }),
      onPage('invalid_request_object'),
    ],
    [
      'RFC 7519 §4.1.5',
      'nbf: the time before which the JWT MUST NOT be accepted',
      'nbf is ahead',
      () => ({ requestObject: { claims: { nbf: ahead() } } }),
      onPage('invalid_request_object'),
    ],
    [
      '§6.3',
      'The authorization server MUST only use the parameters in the Request Object, even if the same parameter is provided in the query parameter',
      'scope is another outside',
      { form: { scope: '"' } },
      goesWell(),
    ],
    [
      '§6.3',
      'MUST only use the parameters in the Request Object',
      'redirect_uri is missing inside and there outside',
      { form: { redirect_uri: redirectUri }, requestObject: { claims: { redirect_uri: none } } },
      redirectMissing(),
    ],
    [
      '§6.3',
      'then validates the request as specified in OAuth 2.0',
      'redirect_uri inside is of another host',
      { requestObject: { claims: { redirect_uri: 'https://elsewhere.example/' } } },
      onPage('invalid_redirect_uri'),
    ],
    [
      '§6.3',
      'then validates the request as specified in OAuth 2.0',
      'response_type inside is unknown',
      { requestObject: { claims: { response_type: 'x' } } },
      redirected('unsupported_response_type'),
    ],
    [
      '§6.3',
      'then validates the request as specified in OAuth 2.0',
      'code_challenge inside is missing',
      { requestObject: { claims: { code_challenge: none, code_challenge_method: none } } },
      redirected('invalid_request'),
    ],
    [
      '§6.3',
      'then validates the request as specified in OAuth 2.0',
      'max_age inside is no number',
      { requestObject: { claims: { max_age: 'soon' } } },
      redirected('invalid_request'),
    ],
    [
      '§10.8',
      'explicit typing MAY be used: application/oauth-authz-req+jwt',
      'typ is left out, as older clients do',
      { requestObject: { header: { typ: 'JWT' } } },
      goesWell(),
    ],
  ]),
  ...family({ spec: 'RFC 9101', at: 'authorize with a request object', client: 'signed' }, [
    [
      '§10.5',
      'require_signed_request_object: the authorization server MUST reject requests that do not conform',
      'it is plain',
      unsigned,
      redirected('invalid_request'),
    ],
    [
      '§10.5',
      'require_signed_request_object: requests that are not signed are rejected, also with alg none',
      'it is not signed',
      { requestObject: { key: undefined } },
      onPage('invalid_request_object'),
    ],
  ]),
  ...family({ spec: 'RFC 9101', at: 'push with a request object', client: 'signing' }, [
    ['RFC 9126 §3', 'Clients MAY use the request parameter … to push a Request Object JWT', 'all is right', {}, goesWell()],
    [
      'RFC 9126 §3',
      'client_id inside MUST be the authenticated client’s',
      'client_id inside is another',
      { requestObject: { claims: { client_id: 'portal' } } },
      refused('invalid_request_object'),
    ],
    [
      'RFC 9126 §3',
      'The AS MUST … validate the request object signature as specified in JAR',
      'another key signed it',
      ({ keys }) => ({ requestObject: { key: keys.other.key } }),
      refused('invalid_request_object'),
    ],
    [
      'RFC 9126 §3',
      'The AS MUST … validate the request object signature as specified in JAR',
      'it is not signed',
      { requestObject: { key: undefined } },
      refused('invalid_request_object'),
    ],
    [
      'RFC 9126 §3',
      'The rules for processing, signing, and encryption of the Request Object as defined in JAR apply: aud',
      'aud is another',
      { requestObject: { claims: { aud: 'https://elsewhere.example' } } },
      refused('invalid_request_object'),
    ],
    [
      'RFC 9126 §3',
      'The rules for processing, signing, and encryption of the Request Object as defined in JAR apply: exp',
      'exp is past',
      () => ({ requestObject: { claims: { exp: past() } } }),
      refused('invalid_request_object'),
    ],
    [
      'RFC 9126 §3',
      'then validates the pushed parameters as it would an authorization request',
      'redirect_uri inside is of another host',
      { requestObject: { claims: { redirect_uri: 'https://elsewhere.example/' } } },
      refused('invalid_request'),
    ],
  ]),
]

export const requests = [...pushing, ...signing]

async function used(made: Made) {
  const { form, person, url } = await right('authorize with a pushed request', made, 'portal')
  await person?.get(`${url}?${new URLSearchParams(form as Record<string, string>)}`)
  return { form }
}

async function plainly(made: Made) {
  return { form: { ...(await right('authorize', made, 'pushing')).form, request_uri: undefined } }
}

async function unsigned(made: Made) {
  return { form: { ...(await right('authorize', made, 'signed')).form }, requestObject: undefined }
}

function redirectMissing() {
  return onPage('invalid_request')
}

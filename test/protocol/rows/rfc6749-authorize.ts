// RFC 6749 at the authorization endpoint: §3.1, §3.3, §4.1.1, §4.1.2.1, §10.
import { asks, family, goesWell, onPage, redirected } from '../../support/protocol/row.ts'
import { redirectUri } from '../../support/relying-party.ts'

const notRedirected = 'MUST NOT automatically redirect the user-agent to the invalid redirection URI'
const missing = 'The request is missing a required parameter'
const once = 'Request and response parameters MUST NOT be included more than once'
const compared = 'the authorization server MUST compare the two URIs using simple string comparison'
const absolute = 'The redirection endpoint URI MUST be an absolute URI'
const scopeSyntax = 'The requested scope is invalid, unknown, or malformed'

export const rfc6749Authorize = [
  ...family({ spec: 'RFC 6749', at: 'authorize' }, [
    ['§4.1.2.1', notRedirected, 'client_id is missing', { form: { client_id: undefined } }, onPage('invalid_request')],
    ['§4.1.2.1', notRedirected, 'client_id is empty', { form: { client_id: '' } }, onPage('invalid_request')],
    ['§4.1.2.1', notRedirected, 'client_id is unknown', { form: { client_id: 'nobody' } }, onPage('invalid_client')],
    ['§3.1', once, 'client_id comes twice', { form: { client_id: ['portal', 'portal'] } }, onPage('invalid_request')],
    ['§4.1.2.1', notRedirected, 'redirect_uri is missing', { form: { redirect_uri: undefined } }, onPage('invalid_request')],
    ['§4.1.2.1', notRedirected, 'redirect_uri is empty', { form: { redirect_uri: '' } }, onPage('invalid_request')],
    ['§3.1', once, 'redirect_uri comes twice', { form: { redirect_uri: [redirectUri, redirectUri] } }, onPage('invalid_request')],
    ['§3.1.2.4', notRedirected, 'redirect_uri is of another host', { form: { redirect_uri: 'https://elsewhere.example/callback' } }, onPage('invalid_redirect_uri')],
    ['§3.1.2.3', compared, 'redirect_uri has a path below', { form: { redirect_uri: `${redirectUri}/below` } }, onPage('invalid_redirect_uri')],
    ['§3.1.2.3', compared, 'redirect_uri ends in a slash', { form: { redirect_uri: `${redirectUri}/` } }, onPage('invalid_redirect_uri')],
    ['§3.1.2.3', compared, 'redirect_uri has another query', { form: { redirect_uri: `${redirectUri}?more=1` } }, onPage('invalid_redirect_uri')],
    ['§3.1.2.3', compared, 'redirect_uri has capitals', { form: { redirect_uri: redirectUri.replace('callback', 'Callback') } }, onPage('invalid_redirect_uri')],
    ['§3.1.2.3', compared, 'redirect_uri has another scheme', { form: { redirect_uri: redirectUri.replace('http:', 'https:') } }, onPage('invalid_redirect_uri')],
    ['§3.1.2.3', compared, 'redirect_uri has another port', { form: { redirect_uri: redirectUri.replace('4000', '4009') } }, onPage('invalid_redirect_uri')],
    ['§3.1.2', absolute, 'redirect_uri is a path', { form: { redirect_uri: '/callback' } }, onPage('invalid_redirect_uri')],
    ['§3.1.2', 'The endpoint URI MUST NOT include a fragment component', 'redirect_uri has a fragment', { form: { redirect_uri: `${redirectUri}#x` } }, onPage('invalid_redirect_uri')],
    ['§10.15', 'to prevent open redirectors', 'redirect_uri is a script', { form: { redirect_uri: 'javascript:alert(1)' } }, onPage('invalid_redirect_uri')],
    ['§10.15', 'to prevent open redirectors', 'redirect_uri has another before an @', { form: { redirect_uri: 'http://localhost:4000@elsewhere.example/callback' } }, onPage('invalid_redirect_uri')],
    ['§4.1.2.1', notRedirected, 'all is wrong, redirect_uri too', { form: { redirect_uri: 'https://elsewhere.example/', response_type: 'x', scope: '"' } }, onPage('invalid_redirect_uri')],
    [
      '§3.1.2',
      'which MUST be retained when adding additional query parameters',
      'redirect_uri is the registered one with a query',
      { form: { redirect_uri: `${redirectUri}?kept=1` } },
      goesWell(),
    ],
    ['§4.1.2.1', missing, 'response_type is missing', { form: { response_type: undefined } }, redirected('invalid_request')],
    ['§4.1.2.1', missing, 'response_type is empty', { form: { response_type: '' } }, redirected('invalid_request')],
    ['§3.1.1', 'If an authorization request is missing the response_type parameter, or if the response type is not understood', 'response_type is unknown', { form: { response_type: 'cod' } }, redirected('unsupported_response_type')],
    ['§4.1.2.1', 'does not support obtaining an authorization code using this method', 'response_type is in capitals', { form: { response_type: 'CODE' } }, redirected('unsupported_response_type')],
    ['§3.1', once, 'response_type comes twice', { form: { response_type: ['code', 'code'] } }, redirected('invalid_request')],
    ['§3.1', once, 'scope comes twice', { form: { scope: ['openid', 'openid'] } }, redirected('invalid_request')],
    ['§3.1', once, 'state comes twice', { form: { state: ['one', 'two'] } }, redirected('invalid_request', { isStateless: true })],
    ['§3.1', once, 'nonce comes twice', { form: { nonce: ['one', 'two'] } }, redirected('invalid_request')],
    ['§3.1', once, 'code_challenge comes twice', { form: { code_challenge: ['a'.repeat(43), 'a'.repeat(43)] } }, redirected('invalid_request')],
    ['§3.3', scopeSyntax, 'scope has a quotation mark', { form: { scope: 'openid "x"' } }, redirected('invalid_scope')],
    ['§3.3', scopeSyntax, 'scope has a backslash', { form: { scope: 'openid \\x' } }, redirected('invalid_scope')],
    ['§3.3', scopeSyntax, 'scope has a letter beyond ASCII', { form: { scope: 'openid é' } }, redirected('invalid_scope')],
    ['§3.3', 'fail the request indicating an invalid scope', 'scope is left out', { form: { scope: undefined, nonce: undefined } }, redirected('invalid_scope')],
    ['§3.3', 'fail the request indicating an invalid scope', 'scope is left out and nobody is signed in', ({ nobody }) => ({ form: { scope: undefined, nonce: undefined }, person: nobody() }), redirected('invalid_scope')],
    ['§3.3', 'The requested scope is invalid, unknown, or malformed', 'all of scope is unknown', { form: { scope: 'unheard_of', nonce: undefined } }, redirected('invalid_scope')],
    ['§3.1', 'The authorization server MUST ignore unrecognized request parameters', 'a parameter is unknown', { form: { unheard_of: 'x' } }, goesWell()],
    ['§3.1', 'Parameters sent without a value MUST be treated as if they were omitted from the request', 'max_age, prompt and claims are empty', { form: { max_age: '', prompt: '', claims: '' } }, goesWell()],
    ['§3.3', 'The authorization server MAY fully or partially ignore the scope requested by the client', 'a scope is unknown', { form: { scope: 'openid unheard_of' } }, goesWell()],
    ['§4.1.2', 'REQUIRED if the "state" parameter was present in the client authorization request', 'state is left out', { form: { state: undefined } }, goesWell({ state: undefined })],
    ['§4.1.2', 'The exact value received from the client', 'state has every kind of character', { form: { state: 'a b+c&d=e%20#ü"<>' } }, goesWell({ state: 'a b+c&d=e%20#ü"<>' })],
    ['§4.1.2.1', 'The exact value received from the client', 'state is strange and response_type unknown', { form: { state: 'a b+c&d="<>', response_type: 'x' } }, redirected('unsupported_response_type')],
    ['§3.1', 'The authorization server MUST support the use of the HTTP "GET" method, and MAY support POST', 'it is posted', { method: 'POST' }, goesWell()],
    ['§3.1', 'The authorization server MUST support the use of the HTTP "GET" method', 'it is put', { method: 'PUT' }, { by: 'method', allow: 'GET, HEAD, POST' }],
    ['§3.1', 'The authorization server MUST first verify the identity of the resource owner', 'nobody is signed in', ({ nobody }) => ({ person: nobody() }), asks],
    ['§10.12', 'an end-user’s consent is asked where nobody gave it', 'the client is somebody else’s', { form: { client_id: 'thirdParty' } }, asks],
    ['§4.1.2', 'codes are in the query', 'all is right', {}, goesWell({ access_token: undefined, id_token: undefined, code: /^[\w-]{20,}$/ })],
  ]),
  ...family({ spec: 'RFC 6749', at: 'authorize' }, [
    ['§4.1.2.1', 'The client is not authorized to request an authorization code using this method', 'the client is for devices only', { form: { client_id: 'codeless' } }, onPage('invalid_redirect_uri')],
  ]),
  ...['token', 'id_token', 'code id_token', 'code token', 'id_token token', 'code id_token token', 'none'].flatMap(response_type =>
    family({ spec: 'RFC 6749', at: 'authorize' }, [
      [
        '§4.1.2.1',
        'The authorization server does not support obtaining an authorization code using this method',
        `response_type is ${response_type}`,
        { form: { response_type } },
        response_type.includes('token') ? { by: 'fragment', error: 'unsupported_response_type' } : redirected('unsupported_response_type'),
      ],
    ]),
  ),
]

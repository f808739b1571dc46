// How the answer comes back: Form Post Response Mode, JARM, and the issuer within (RFC 9207).
import { family, goesWell, type Outcome, onPage, type Place, redirected, refused } from '../../support/protocol/row.ts'

const strange = 'a b+c&d=e%20#ü"<>\''
const by = (place: Place, error: string): Outcome => ({ by: place, error })
const comes = (place: Place, says: Readonly<Record<string, unknown>> = {}, headers: Readonly<Record<string, RegExp>> = {}): Outcome => ({
  by: 'success',
  place,
  says,
  headers,
})

type Fault = readonly [section: string, when: string, form: Readonly<Record<string, string | undefined>>, error: string]

const faulty: readonly Fault[] = [
  ['RFC 6749 §4.1.2.1', 'scope has a quotation mark', { scope: '"' }, 'invalid_scope'],
  ['RFC 6749 §4.1.2.1', 'code_challenge is missing', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
  ['RFC 6749 §4.1.2.1', 'response_type is unknown', { response_type: 'x' }, 'unsupported_response_type'],
  ['OpenID Connect Core §3.1.2.1', 'prompt is none login', { prompt: 'none login' }, 'invalid_request'],
  ['RFC 8707 §2', 'resource is unknown', { resource: 'https://unheard.of/' }, 'invalid_target'],
  ['OpenID Connect Core §3.1.2.6', 'prompt is none and max_age 0', { prompt: 'none', max_age: '0' }, 'login_required'],
  ['OpenID Connect Core §3.1.2.6', 'prompt is none and nobody consented', { prompt: 'none', client_id: 'thirdParty' }, 'consent_required'],
  ['RFC 6749 §4.1.2.1', 'state is strange and scope wrong', { state: strange, scope: '"' }, 'invalid_scope'],
]

/** The same faults in each mode: told where the client asked to be told. */
const faults = (mode: string, place: Place, says: string) =>
  faulty.map(([section, when, form, error]) => [section, says, `${mode}: ${when}`, { form: { response_mode: mode, ...form } }, by(place, error)] as const)

const formPost = family({ spec: 'Form Post', at: 'authorize' }, [
  [
    '§2',
    'the Authorization Response parameters are encoded as HTML form values that are auto-submitted in the User Agent',
    'all is right',
    { form: { response_mode: 'form_post' } },
    comes('form_post', { code: /./ }, { 'content-type': /^text\/html/, 'cache-control': /no-store/ }),
  ],
  [
    '§2',
    'the result parameters being encoded in the body using the application/x-www-form-urlencoded format',
    'state is strange',
    { form: { response_mode: 'form_post', state: strange } },
    comes('form_post', { state: strange }),
  ],
  [
    '§4',
    'the redirect URI must be the client’s',
    'redirect_uri is of another host',
    { form: { response_mode: 'form_post', redirect_uri: 'https://elsewhere.example/' } },
    onPage('invalid_redirect_uri'),
  ],
  [
    '§2',
    'the result parameters being encoded in the body of an HTTP POST, none in the address',
    'all is right, without state',
    { form: { response_mode: 'form_post', state: undefined } },
    comes('form_post', { state: undefined }),
  ],
  ...faults('form_post', 'form_post', 'encoded as HTML form values, errors too'),
])

const jarmModes = [
  ['jwt', 'redirect.jwt'],
  ['query.jwt', 'redirect.jwt'],
  ['fragment.jwt', 'fragment.jwt'],
  ['form_post.jwt', 'form_post.jwt'],
] as const

const jarm = [
  ...jarmModes.flatMap(([mode, place]) =>
    family({ spec: 'JARM', at: 'authorize' }, [
      [
        '§2.3',
        'The JWT-based response modes',
        `${mode}: all is right`,
        { form: { response_mode: mode } },
        comes(place, { aud: 'portal', iss: /^http/, code: /./, exp: /^\d+$/, alg: 'RS256' }),
      ],
      [
        '§2.1',
        'The JWT contains the parameters of the response as claims, state too',
        `${mode}: state is strange`,
        { form: { response_mode: mode, state: strange } },
        comes(place, { state: strange }),
      ],
      [
        '§2.1',
        'an error of the redirect URI is told to nobody but the person',
        `${mode}: redirect_uri is of another host`,
        { form: { response_mode: mode, redirect_uri: 'https://elsewhere.example/' } },
        onPage('invalid_redirect_uri'),
      ],
    ]),
  ),
  ...jarmModes
    .slice(0, 1)
    .concat(jarmModes.slice(2))
    .flatMap(([mode, place]) => family({ spec: 'JARM', at: 'authorize' }, faults(mode, place, 'error as defined, in the JWT’s claims'))),
  ...family({ spec: 'JARM', at: 'authorize', client: 'jarm' }, [
    [
      '§3',
      'authorization_signed_response_alg: the algorithm for signing authorization responses',
      'the client registered ES256',
      { form: { response_mode: 'jwt' } },
      comes('redirect.jwt', { alg: 'ES256', aud: 'jarm' }),
    ],
  ]),
]

const modes = family({ spec: 'OpenID Connect Core', at: 'authorize' }, [
  [
    '§3.1.2.1',
    'response_mode: the mechanism to be used for returning parameters',
    'response_mode is query',
    { form: { response_mode: 'query' } },
    comes('redirect'),
  ],
  [
    '§3.1.2.1',
    'response_mode: the mechanism to be used for returning parameters',
    'response_mode is fragment',
    { form: { response_mode: 'fragment' } },
    comes('fragment'),
  ],
  [
    '§3.1.2.1',
    'response_mode: the mechanism to be used for returning parameters',
    'response_mode is unknown',
    { form: { response_mode: 'unheard_of' } },
    redirected('unsupported_response_mode'),
  ],
  [
    '§3.1.2.1',
    'response_mode: the mechanism to be used for returning parameters',
    'response_mode is web_message',
    { form: { response_mode: 'web_message' } },
    redirected('unsupported_response_mode'),
  ],
  [
    '§3.1.2.1',
    'RFC 6749 §3.1: not more than once',
    'response_mode comes twice',
    { form: { response_mode: ['query', 'query'] } },
    redirected('invalid_request'),
  ],
])

const issuer = (place: Place, says: Readonly<Record<string, unknown>> = { iss: /^http:\/\/localhost:\d+$/ }) => comes(place, says)
const included = 'the authorization server MUST include the issuer identifier'
const issuers = [
  ...family({ spec: 'RFC 9207', at: 'authorize' }, [
    ['§2', `In authorization responses to the client, including error responses, ${included}`, 'all is right', {}, issuer('redirect')],
    [
      '§2',
      `In authorization responses to the client, including error responses, ${included}`,
      'by form_post',
      { form: { response_mode: 'form_post' } },
      issuer('form_post'),
    ],
    [
      '§2',
      `In authorization responses to the client, including error responses, ${included}`,
      'in the fragment',
      { form: { response_mode: 'fragment' } },
      issuer('fragment'),
    ],
    ['§2', 'the JWT contains an iss claim, and there is none outside', 'in a JWT', { form: { response_mode: 'jwt' } }, issuer('redirect.jwt')],
    [
      '§2',
      'In authorization responses to the client, including error responses, the server MUST indicate its identity',
      'scope is wrong',
      { form: { scope: '"' } },
      redirected('invalid_scope'),
    ],
    [
      '§2',
      'In authorization responses to the client, including error responses, the server MUST indicate its identity',
      'nobody is signed in',
      ({ nobody }) => ({ form: { prompt: 'none' }, person: nobody() }),
      redirected('login_required'),
    ],
    [
      '§2',
      'In authorization responses to the client, including error responses, the server MUST indicate its identity',
      'state is left out and scope is wrong',
      { form: { scope: '"', state: undefined } },
      redirected('invalid_scope'),
    ],
    [
      '§2',
      'In authorization responses to the client, including error responses, the server MUST indicate its identity',
      'scope is wrong, by form_post',
      { form: { scope: '"', response_mode: 'form_post' } },
      by('form_post', 'invalid_scope'),
    ],
  ]),
  ...family({ spec: 'RFC 9207', at: 'authorize with a pushed request' }, [['§2', included, 'the request was pushed', {}, issuer('redirect')]]),
  ...family({ spec: 'RFC 9207', at: 'authorize with a request object', client: 'signing' }, [
    ['§2', included, 'the request was signed', {}, issuer('redirect')],
    [
      '§2',
      'In authorization responses to the client, including error responses, the server MUST indicate its identity',
      'the signed request asks for a wrong scope',
      { requestObject: { claims: { scope: '"' } } },
      redirected('invalid_scope'),
    ],
  ]),
]

const tokenErrors = family({ spec: 'OpenID Connect Core', at: 'redeem' }, [
  [
    '§3.1.3.2',
    'Verify that the Authorization Code is valid',
    'code is unknown',
    { form: { code: 'unheard-of' } },
    refused('invalid_grant', 400, { 'content-type': /^application\/json/, 'cache-control': /no-store/ }),
  ],
  [
    '§3.1.3.4',
    'If the Token Request is invalid or unauthorized, the Authorization Server constructs the error response',
    'redirect_uri is another',
    { form: { redirect_uri: 'https://elsewhere.example/' } },
    refused('invalid_grant', 400, { 'cache-control': /no-store/ }),
  ],
  [
    '§3.1.3.4',
    'The HTTP response body uses the application/json media type with HTTP response code of 400',
    'grant_type is unknown',
    { form: { grant_type: 'x' } },
    refused('unsupported_grant_type', 400, { 'content-type': /^application\/json/, 'cache-control': /no-store/ }),
  ],
  [
    '§3.1.3.3',
    'token_type value MUST be Bearer, id_token REQUIRED',
    'all is right',
    {},
    goesWell({ token_type: 'Bearer', id_token: /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/ }, { 'cache-control': /no-store/ }),
  ],
])

export const responses = [...formPost, ...jarm, ...modes, ...issuers, ...tokenErrors]

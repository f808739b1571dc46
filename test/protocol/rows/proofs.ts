// Proof of possession (RFC 9449): §4.3 at the token endpoint, §7 at userinfo, §10 for codes, and devices (RFC 8628).
import { randomUUID } from 'node:crypto'
import { none, send } from '../../support/protocol/ask.ts'
import { beginDevice, decideDevice, right } from '../../support/protocol/endpoints.ts'
import type { Made } from '../../support/protocol/made.ts'
import { family, goesWell, type Row, redirected, refused } from '../../support/protocol/row.ts'

const longAgo = () => Math.floor(Date.now() / 1000) - 3600
const proofOf = (at: Row['at'], status: number, headers: Readonly<Record<string, RegExp>> = {}) => {
  const invalid = refused('invalid_dpop_proof', status, headers)
  const nonce = refused('use_dpop_nonce', status, { ...headers, 'dpop-nonce': /^[\w-]{20,}$/ })
  return family({ spec: 'RFC 9449', at }, [
    ['§4.3 (3)', 'all required claims per Section 4.2 are contained in the JWT', 'jti is missing', { proof: { claims: { jti: none } } }, invalid],
    ['§4.3 (3)', 'all required claims per Section 4.2 are contained in the JWT', 'iat is missing', { proof: { claims: { iat: none } } }, invalid],
    ['§4.3 (3)', 'all required claims per Section 4.2 are contained in the JWT', 'htm is missing', { proof: { claims: { htm: none } } }, invalid],
    ['§4.3 (3)', 'all required claims per Section 4.2 are contained in the JWT', 'htu is missing', { proof: { claims: { htu: none } } }, invalid],
    ['§4.3 (4)', 'The typ JOSE Header Parameter has the value dpop+jwt', 'typ is JWT', { proof: { header: { typ: 'JWT' } } }, invalid],
    ['§4.3 (4)', 'The typ JOSE Header Parameter has the value dpop+jwt', 'typ is missing', { proof: { header: { typ: undefined } } }, invalid],
    ['§4.3 (5)', 'a registered asymmetric digital signature algorithm, is not none', 'it is not signed', { proof: { key: undefined } }, invalid],
    [
      '§4.3 (5)',
      'an asymmetric digital signature algorithm',
      'it has a MAC',
      { proof: { header: { alg: 'HS256' }, key: Buffer.from('a secret of some length, long enough for a MAC') } },
      invalid,
    ],
    [
      '§4.3 (6)',
      'The JWT signature verifies with the public key contained in the jwk JOSE Header Parameter',
      'another key signed it',
      ({ keys }) => ({ proof: { key: keys.other.key } }),
      invalid,
    ],
    ['§4.3 (6)', 'the public key contained in the jwk JOSE Header Parameter', 'jwk is missing', { proof: { header: { jwk: undefined } } }, invalid],
    [
      '§4.3 (7)',
      'The jwk JOSE Header Parameter does not contain a private key',
      'jwk holds the private key',
      { proof: { header: { jwk: { d: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' } } } },
      invalid,
    ],
    ['§4.3 (8)', 'The htm claim matches the HTTP method of the current request', 'htm is of another method', { proof: { claims: { htm: 'PATCH' } } }, invalid],
    [
      '§4.3 (9)',
      'The htu claim matches the HTTP URI value for the HTTP request, ignoring any query and fragment parts',
      'htu is of another path',
      ({ issuer }) => ({ proof: { claims: { htu: `${issuer}/oauth2/elsewhere` } } }),
      invalid,
    ],
    [
      '§4.3 (9)',
      'The htu claim matches the HTTP URI value',
      'htu is of another host',
      { proof: { claims: { htu: 'https://elsewhere.example/oauth2/token' } } },
      invalid,
    ],
    ['§4.3 (11)', 'The creation time of the JWT … is within an acceptable window', 'iat is long ago', () => ({ proof: { claims: { iat: longAgo() } } }), nonce],
    [
      '§4.3 (10)',
      'If the server provided a nonce value to the client, the nonce claim matches',
      'nonce is made up',
      { proof: { claims: { nonce: 'unheard-of' } } },
      nonce,
    ],
    [
      '§4.3 (2)',
      'The DPoP HTTP request header field value is a single and well-formed JWT',
      'it is no JWT',
      { proof: undefined, headers: { dpop: 'unheard-of' } },
      invalid,
    ],
    [
      '§4.3 (1)',
      'There is not more than one DPoP HTTP request header field',
      'there are two',
      { proof: undefined, headers: { dpop: 'a.b.c, d.e.f' } },
      invalid,
    ],
  ])
}

const atToken = proofOf('ask as a service with a proof', 400)
const challenge = { 'www-authenticate': /^DPoP .*algs="[^"]*ES256/ }
const atUserinfo = proofOf('userinfo with a proof', 401, challenge)
const seen = async (made: Made, at: Row['at']) => {
  const jti = randomUUID()
  const ask = await right(at, made, 'portal')
  if (!ask.proof) throw new Error('there is no proof')
  const answer = await send({ ...ask, proof: { ...ask.proof, claims: { ...ask.proof.claims, jti } } })
  if (answer.status > 201) throw new Error(answer.body)
  return { proof: { claims: { jti } } }
}

const bound = [
  ...family({ spec: 'RFC 9449', at: 'ask as a service with a proof' }, [
    ['§5', 'token_type of DPoP MUST be included', 'all is right', {}, goesWell({ token_type: 'DPoP' })],
    [
      '§11.1',
      'store the jti … to prevent multiple uses of the same DPoP proof',
      'it was seen before',
      made => seen(made, 'ask as a service with a proof'),
      refused('invalid_dpop_proof'),
    ],
  ]),
  ...family({ spec: 'RFC 9449', at: 'ask as a service with a proof', client: 'bound' }, [
    [
      '§5.2',
      'dpop_bound_access_tokens: the authorization server MUST reject token requests from the client that do not contain the DPoP header',
      'there is no proof',
      { proof: undefined },
      refused('invalid_grant'),
    ],
  ]),
  ...family({ spec: 'RFC 9449', at: 'redeem what is bound to a key' }, [
    [
      '§10',
      'the authorization server computes the JWK Thumbprint of the proof-of-possession public key in the DPoP proof and verifies that it matches the dpop_jkt',
      'another key proves',
      ({ keys }) => ({ proof: { header: { jwk: keys.other.jwk }, key: keys.other.key } }),
      refused('invalid_grant'),
      { isSpent: true },
    ],
    ['§10', 'if they do not match, it MUST reject the request', 'there is no proof', { proof: undefined }, refused('invalid_grant'), { isSpent: true }],
    ['§10', 'the dpop_jkt parameter … binds the authorization code to the proof-of-possession key', 'all is right', {}, goesWell({ token_type: 'DPoP' })],
  ]),
  ...family({ spec: 'RFC 9449', at: 'refresh with a proof', client: 'spa' }, [
    [
      '§5',
      'Refresh tokens issued to public clients MUST be bound to the public key',
      'another key proves',
      ({ keys }) => ({ proof: { header: { jwk: keys.other.jwk }, key: keys.other.key } }),
      refused('invalid_grant'),
    ],
    ['§5', 'the client MUST present a DPoP proof for the same key', 'there is no proof', { proof: undefined }, refused('invalid_grant')],
    ['§5', 'the client MUST present a DPoP proof for the same key', 'all is right', {}, goesWell({ token_type: 'DPoP' })],
  ]),
  ...family({ spec: 'RFC 9449', at: 'refresh with a proof' }, [
    [
      '§5',
      'Refresh tokens issued to confidential clients are not bound to the DPoP proof public key',
      'another key proves',
      ({ keys }) => ({ proof: { header: { jwk: keys.other.jwk }, key: keys.other.key } }),
      goesWell({ token_type: 'DPoP' }),
    ],
  ]),
  ...family({ spec: 'RFC 9449', at: 'userinfo with a proof' }, [
    [
      '§7.1',
      'A DPoP-bound access token is sent using the Authorization request header field with an authentication scheme of DPoP',
      'all is right',
      {},
      goesWell(),
    ],
    [
      '§4.3 (12)',
      'ensure that the value of the ath claim equals the hash of that access token',
      'ath is missing',
      { proof: { claims: { ath: none } } },
      refused('invalid_dpop_proof', 401, challenge),
    ],
    [
      '§4.3 (12)',
      'ensure that the value of the ath claim equals the hash of that access token',
      'ath is of another token',
      { proof: { claims: { ath: 'A'.repeat(43) } } },
      refused('invalid_dpop_proof', 401, challenge),
    ],
    [
      '§4.3 (12)',
      'confirm that the public key to which the access token is bound matches the public key from the DPoP proof',
      'another key proves',
      ({ keys }) => ({ proof: { header: { jwk: keys.other.jwk }, key: keys.other.key } }),
      refused('invalid_token', 401, challenge),
    ],
    [
      '§7.2',
      'a DPoP-bound access token … MUST NOT be accepted as a bearer token',
      'it comes as Bearer, without a proof',
      bearer,
      refused('invalid_token', 401),
    ],
    [
      '§7.1',
      'a proof accompanies the DPoP scheme',
      'there is no proof',
      { proof: undefined },
      refused('invalid_request', 400, { 'www-authenticate': /^(DPoP|Bearer) / }),
    ],
    [
      '§11.1',
      'to prevent multiple uses of the same DPoP proof',
      'it was seen before',
      made => seen(made, 'userinfo with a proof'),
      refused('invalid_token', 401, challenge),
    ],
  ]),
  ...family({ spec: 'RFC 9449', at: 'push with a proof' }, [
    ['§10.1', 'the AS MUST check the DPoP proof JWT', 'all is right', {}, goesWell()],
    [
      '§10.1',
      'both … dpop_jkt and the proof MUST match',
      'dpop_jkt is of another key',
      ({ keys }) => ({ form: { dpop_jkt: keys.other.thumbprint } }),
      refused('invalid_request'),
    ],
    [
      '§10.1',
      'the AS MUST check the DPoP proof JWT',
      'another key signed it',
      ({ keys }) => ({ proof: { key: keys.other.key } }),
      refused('invalid_dpop_proof'),
    ],
    ['§11.1', 'to prevent multiple uses of the same DPoP proof', 'it was seen before', made => seen(made, 'push with a proof'), refused('invalid_dpop_proof')],
  ]),
]

async function bearer(made: Made) {
  const { headers } = await right('userinfo with a proof', made, 'portal')
  return { headers: { authorization: (headers.authorization ?? '').replace('DPoP', 'Bearer') }, proof: undefined }
}

const devices = [
  ...family({ spec: 'RFC 8628', at: 'begin on a device', client: 'device' }, [
    [
      '§3.2',
      'device_code, user_code, verification_uri, expires_in REQUIRED',
      'all is right',
      {},
      goesWell(
        { user_code: /^[A-Z]{4}-[A-Z]{4}$/, verification_uri: /\/device$/, verification_uri_complete: /user_code=/, expires_in: 600 },
        { 'cache-control': /no-store/ },
      ),
    ],
    [
      '§3.1',
      'client_id REQUIRED if the client is not authenticating',
      'client_id is missing',
      { form: { client_id: undefined } },
      refused('invalid_client', 401),
    ],
    [
      '§3.1',
      'client_id REQUIRED if the client is not authenticating with the authorization server',
      'client_id is unknown',
      { form: { client_id: 'nobody' } },
      refused('invalid_client', 401),
    ],
    [
      '§3.2',
      'error response as defined in RFC 6749 §5.2',
      'the client is not registered for it',
      { form: { client_id: 'spa' } },
      refused('unauthorized_client'),
    ],
    ['§3.1', 'Request parameters MUST NOT be included more than once', 'scope comes twice', { form: { scope: ['a', 'b'] } }, refused('invalid_request')],
    [
      '§3.1',
      'scope: The scope of the access request as defined by Section 3.3 of RFC 6749',
      'scope has a quotation mark',
      { form: { scope: '"' } },
      refused('invalid_scope'),
    ],
    ['§3.1', 'The client initiates the authorization flow by … making an HTTP POST request', 'it is got', { method: 'GET' }, { by: 'method', allow: 'POST' }],
  ]),
  ...family({ spec: 'RFC 8628', at: 'poll for a device', client: 'device' }, [
    [
      '§3.4',
      'device_code REQUIRED. The device verification code from the device authorization response',
      'device_code is missing',
      { form: { device_code: undefined } },
      refused('invalid_request'),
    ],
    [
      '§3.5',
      'in addition to the error codes defined in Section 5.2 of RFC 6749: invalid_grant',
      'device_code is unknown',
      { form: { device_code: 'unheard-of' } },
      refused('invalid_grant'),
    ],
    ['§3.5', 'the device_code was issued to that client', 'another client brings it', { form: { client_id: 'otherDevice' } }, refused('invalid_grant')],
    [
      '§3.4',
      'client_id REQUIRED if the client is not authenticating with the authorization server',
      'client_id is missing',
      { form: { client_id: undefined } },
      refused('invalid_client', 401),
    ],
    [
      '§3.5',
      'authorization_pending: The authorization request is still pending as the end user hasn’t yet completed the user-interaction steps',
      'nobody decided yet',
      pending,
      refused('authorization_pending'),
    ],
    ['§3.5', 'access_denied: The authorization request was denied', 'the person said no', denied, refused('access_denied')],
    ['§3.5', 'the token endpoint responds with a success response defined in Section 5.1 of RFC 6749', 'all is right', {}, goesWell({ token_type: 'Bearer' })],
  ]),
]

async function pending(made: Made) {
  return { form: { device_code: (await beginDevice(made, 'device')).deviceCode } }
}

async function denied(made: Made) {
  const { deviceCode, userCode } = await beginDevice(made, 'device')
  await decideDevice(made, userCode, 'abort')
  return { form: { device_code: deviceCode } }
}

export const proofs = [...atToken, ...atUserinfo, ...bound]
export { devices }
export const thumbprints = family({ spec: 'RFC 9449', at: 'authorize' }, [
  [
    '§10',
    'dpop_jkt: The value … is the JWK Thumbprint of the proof-of-possession public key',
    'dpop_jkt is given',
    ({ keys }) => ({ form: { dpop_jkt: keys.own.thumbprint } }),
    goesWell(),
  ],
  ['§10', 'MUST NOT be included more than once', 'dpop_jkt comes twice', { form: { dpop_jkt: ['a', 'b'] } }, redirected('invalid_request')],
])

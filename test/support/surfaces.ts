// Every form that the server reads, with values that are well-formed: a test spoils one field at a time.
import { systemActor } from '../../src/platform/actor.ts'
import { basic, portal, service } from './calls.ts'
import type { TestServer } from './server.ts'

/** A form of an endpoint. */
export interface Surface {
  readonly name: string
  readonly path: string
  readonly isQuery?: boolean
  readonly headers?: Readonly<Record<string, string>>
  readonly fields: Readonly<Record<string, string>>
}

export const deviceClient = { id: 'device-001', secret: 'device_secret_0123456789abcdef' }

const asPortal = { authorization: basic(portal) }
const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

/** What an authorization request may carry. */
export const authorization: Readonly<Record<string, string>> = {
  client_id: portal.id,
  redirect_uri: portal.redirectUri,
  response_type: 'code',
  scope: 'openid',
  state: 'state',
  nonce: 'nonce',
  code_challenge: challenge,
  code_challenge_method: 'S256',
  response_mode: 'query',
  display: 'page',
  prompt: 'login',
  max_age: '60',
  ui_locales: 'en',
  claims_locales: 'en',
  id_token_hint: 'a.b.c',
  login_hint: 'bob@acme-corp.com',
  acr_values: '1',
  claims: '{"userinfo":{"email":null}}',
  resource: 'http://localhost:4000/api/es256',
  request: 'a.b.c',
  request_uri: 'urn:ietf:params:oauth:request_uri:x',
  registration: '{}',
  dpop_jkt: 'x'.repeat(43),
  unknown: 'unknown',
}

const token = (grant: string, fields: Record<string, string>, headers: Record<string, string> = asPortal): Surface => ({
  name: `token ${grant}`,
  path: '/oauth2/token',
  headers,
  fields: { grant_type: grant, scope: 'openid', resource: 'http://localhost:4000/api/es256', unknown: 'unknown', ...fields },
})

/** The forms of the protocol's endpoints. */
export const protocolSurfaces: readonly Surface[] = [
  token('authorization_code', { code: 'x'.repeat(43), code_verifier: 'v'.repeat(43), redirect_uri: portal.redirectUri }),
  token('refresh_token', { refresh_token: 'x'.repeat(43) }),
  token('client_credentials', {}, { authorization: basic(service) }),
  token('urn:ietf:params:oauth:grant-type:device_code', { device_code: 'x'.repeat(43) }, { authorization: basic(deviceClient) }),
  { ...token('client_credentials', { client_id: service.id, client_secret: service.secret }, {}), name: 'token client_secret_post' },
  {
    ...token(
      'client_credentials',
      { client_id: service.id, client_assertion: 'a.b.c', client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' },
      {},
    ),
    name: 'token client_assertion',
  },
  {
    name: 'introspect',
    path: '/oauth2/introspect',
    headers: asPortal,
    fields: { token: 'x'.repeat(43), token_type_hint: 'access_token', client_id: portal.id },
  },
  { name: 'revoke', path: '/oauth2/revoke', headers: asPortal, fields: { token: 'x'.repeat(43), token_type_hint: 'refresh_token', client_id: portal.id } },
  { name: 'par', path: '/oauth2/par', headers: asPortal, fields: authorization },
  {
    name: 'device_authorization',
    path: '/oauth2/device_authorization',
    headers: { authorization: basic(deviceClient) },
    fields: { client_id: deviceClient.id, scope: 'openid', claims: '{}', resource: 'http://localhost:4000/api/es256', acr_values: '1', max_age: '60' },
  },
  { name: 'device', path: '/device', fields: { xsrf: 'x', user_code: 'BCDFGHJK', confirm: 'yes', abort: 'yes' } },
  { name: 'device query', path: '/device', isQuery: true, fields: { user_code: 'BCDFGHJK' } },
  { name: 'authorize', path: '/oauth2/authorize', isQuery: true, fields: authorization },
  { name: 'authorize by POST', path: '/oauth2/authorize', fields: authorization },
  {
    name: 'logout',
    path: '/oauth2/logout',
    isQuery: true,
    fields: {
      id_token_hint: 'a.b.c',
      client_id: portal.id,
      post_logout_redirect_uri: 'http://localhost:4000/',
      state: 'state',
      logout_hint: 'bob',
      ui_locales: 'en',
    },
  },
  { name: 'logout by POST', path: '/oauth2/logout', fields: { id_token_hint: 'a.b.c', client_id: portal.id, state: 'state' } },
  { name: 'logout confirm', path: '/oauth2/logout/confirm', fields: { xsrf: 'x', logout: 'yes' } },
  { name: 'userinfo', path: '/oauth2/userinfo', fields: { access_token: 'x'.repeat(43) } },
]

/** Makes the client of the device flow; answers an initial access token for registration. */
export async function prepareSurfaces({ services, app }: TestServer): Promise<string> {
  await services.clients.create(systemActor, {
    clientId: deviceClient.id,
    secret: deviceClient.secret,
    name: 'Device',
    authenticationMethod: 'client_secret_basic',
    grantTypes: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
  })
  return new (app.protocol.engine.current().InitialAccessToken)({}).save()
}

/** A form's text with one field spoilt: `evil` is percent-encoded already. */
export function spoil(fields: Readonly<Record<string, string>>, name: string, evil: string): string {
  const others = Object.entries(fields).filter(([key]) => key !== name)
  return [...others.map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`), `${encodeURIComponent(name)}=${evil}`].join('&')
}

/** Ways to spoil a field, percent-encoded. */
export const evils: Readonly<Record<string, string>> = {
  'a NUL': 'a%00b',
  'half a surrogate pair': 'a%ED%A0%80b',
  'an overlong encoding': '%C0%80',
  'no UTF-8': '%FF%FE',
  'a broken escape': '%ZZ%',
  'a line break': 'a%0D%0ASet-Cookie:%20a=b',
  nothing: '',
  'a prototype': '__proto__',
  'a constructor': 'constructor',
  'a very long text': 'x'.repeat(9000),
  'a deep text': `${'%5B'.repeat(2000)}`,
  'a right-to-left override': '%E2%80%AE%F0%9F%92%A9',
}

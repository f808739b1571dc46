// The right request at each endpoint, which the rows bend, and whether an answer grants it.
import { createHash, randomBytes } from 'node:crypto'
import type { Answer } from '../person.ts'
import { redirectUri } from '../relying-party.ts'
import { type Ask, bent, send, type Unsigned } from './ask.ts'
import type { ClientName, Made } from './made.ts'
import { read } from './told.ts'

type Right = (made: Made, client: ClientName) => Promise<Ask>

const verifier = () => randomBytes(32).toString('base64url')
const challengeOf = (codeVerifier: string) => createHash('sha256').update(codeVerifier).digest('base64url')
const resource = 'http://localhost:4000/api/es256'

const parameters = (client: string, codeVerifier = verifier()) => ({
  client_id: client,
  response_type: 'code',
  redirect_uri: redirectUri,
  scope: 'openid profile',
  state: verifier(),
  nonce: verifier(),
  code_challenge: challengeOf(codeVerifier),
  code_challenge_method: 'S256',
})

const authorize = async ({ issuer, person }: Made, client: ClientName, codeVerifier?: string): Promise<Ask> => ({
  method: 'GET',
  url: `${issuer}/oauth2/authorize`,
  form: parameters(client, codeVerifier),
  headers: {},
  person,
})

const post = ({ issuer, clients, keys }: Made, path: string, client: ClientName, form: Ask['form']): Ask => {
  const { secret } = clients[client]
  const ask = { method: 'POST', url: `${issuer}/oauth2/${path}`, form, headers: {} }
  switch (methodOf(client)) {
    case 'none':
      return { ...ask, form: { client_id: client, ...form } }
    case 'client_secret_post':
      return { ...ask, form: { client_id: client, client_secret: secret, ...form } }
    case 'private_key_jwt':
      return withAssertion(ask, { claims: claimsOf(client, issuer), header: { alg: 'ES256' }, key: keys.own.key })
    case 'client_secret_jwt':
      return withAssertion(ask, { claims: claimsOf(client, issuer), header: { alg: 'HS256' }, key: Buffer.from(secret) })
    default:
      return { ...ask, basic: { id: client, secret } }
  }
}

const methods: Partial<Record<ClientName, string>> = {
  spa: 'none',
  codeless: 'none',
  device: 'none',
  otherDevice: 'none',
  post: 'client_secret_post',
  keyed: 'private_key_jwt',
  hmac: 'client_secret_jwt',
}
const methodOf = (client: ClientName) => methods[client]
const claimsOf = (client: string, audience: string) => ({ iss: client, sub: client, aud: audience, exp: Math.floor(Date.now() / 1000) + 60 })
const withAssertion = (ask: Ask, assertion: Unsigned): Ask => ({
  ...ask,
  form: { ...ask.form, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' },
  assertion,
})

/** A code of the person for a client, and what redeems it. */
export const issueCode = async (made: Made, client: ClientName, more: Record<string, string | readonly string[]> = {}) => {
  const codeVerifier = verifier()
  const { params } = await read(await send(bent(await authorize(made, client, codeVerifier), { form: more })), made)
  if (typeof params.code !== 'string') throw new Error(`no code for ${client}: ${JSON.stringify(params)}`)
  return { code: params.code, codeVerifier, redirectUri: String(more.redirect_uri ?? redirectUri) }
}

const redeemed = ({ code, codeVerifier, redirectUri }: Awaited<ReturnType<typeof issueCode>>) => ({
  grant_type: 'authorization_code',
  code,
  redirect_uri: redirectUri,
  code_verifier: codeVerifier,
})

/** Tokens of the person for a client. */
export const issueTokens = async (made: Made, client: ClientName, more: { asked?: Record<string, string | readonly string[]>; isBound?: boolean } = {}) => {
  const ask = post(made, 'token', client, redeemed(await issueCode(made, client, more.asked)))
  const { params } = await read(await send(more.isBound ? proving(made, ask) : ask), made)
  if (typeof params.access_token !== 'string') throw new Error(`no tokens for ${client}: ${JSON.stringify(params)}`)
  return { accessToken: params.access_token, refreshToken: String(params.refresh_token), idToken: String(params.id_token) }
}

/** A token of a service’s own. */
export const issueServiceToken = async (made: Made, client: ClientName = 'portal', more: Record<string, string> = {}): Promise<string> =>
  String((await read(await send(post(made, 'token', client, { grant_type: 'client_credentials', ...more })), made)).params.access_token)

/** The request with a proof of possession (RFC 9449 §4). */
export const proving = ({ keys }: Made, ask: Ask, accessToken?: string): Ask => ({
  ...ask,
  proof: {
    header: { alg: 'ES256', typ: 'dpop+jwt', jwk: keys.own.jwk },
    claims: { htm: ask.method, htu: ask.url, ...(accessToken ? { ath: challengeOf(accessToken) } : {}) },
    key: keys.own.key,
  },
})

const signedRequest = ({ issuer, keys }: Made, client: string, asked = parameters(client)): Unsigned => ({
  header: { alg: 'ES256', typ: 'oauth-authz-req+jwt' },
  claims: { iss: client, aud: issuer, exp: Math.floor(Date.now() / 1000) + 60, ...asked },
  key: keys.own.key,
})

const userinfo = (issuer: string, scheme: string, token: string): Ask => ({
  method: 'GET',
  url: `${issuer}/oauth2/userinfo`,
  form: {},
  headers: { authorization: `${scheme} ${token}` },
})

const push = async (made: Made, client: ClientName) => post(made, 'par', client, parameters(client))

/** Begins a device's sign-in. */
export const beginDevice = async (made: Made, client: ClientName) => {
  const { params } = await read(await send(post(made, 'device_authorization', client, { scope: 'openid' })), made)
  return { deviceCode: String(params.device_code), userCode: String(params.user_code) }
}

/** The person lets a device sign in, or does not. */
export const decideDevice = async ({ issuer, person }: Made, userCode: string, decision: 'confirm' | 'abort' = 'confirm'): Promise<void> => {
  const asked = await person.press(await person.get(`${issuer}/device?user_code=${userCode}`), 'name="user_code"')
  await person.follow(await person.press(asked, `name="${decision}"`), 'none:')
}

const rights = {
  authorize,
  'authorize with a request object': async (made, client) => {
    const { state, ...claims } = parameters(client)
    const { form, ...ask } = await authorize(made, client)
    return { ...ask, form: { client_id: client, state }, requestObject: signedRequest(made, client, { ...claims, state }) }
  },
  'authorize with a pushed request': async (made, client) => {
    const { params } = await read(await send(await push(made, client)), made)
    const ask = await authorize(made, client)
    return { ...ask, form: { client_id: client, request_uri: String(params.request_uri) } }
  },
  push,
  'push with a request object': async (made, client) => ({ ...post(made, 'par', client, {}), requestObject: signedRequest(made, client) }),
  'push with a proof': async (made, client) => proving(made, await push(made, client)),
  redeem: async (made, client) => post(made, 'token', client, redeemed(await issueCode(made, client))),
  'redeem with a proof': async (made, client) => proving(made, post(made, 'token', client, redeemed(await issueCode(made, client)))),
  'redeem what is bound to a key': async (made, client) =>
    proving(made, post(made, 'token', client, redeemed(await issueCode(made, client, { dpop_jkt: made.keys.own.thumbprint })))),
  'redeem for a resource': async (made, client) =>
    bent(post(made, 'token', client, redeemed(await issueCode(made, client, { resource, scope: 'openid read' }))), { form: { resource } }),
  refresh: async (made, client) => post(made, 'token', client, { grant_type: 'refresh_token', refresh_token: (await issueTokens(made, client)).refreshToken }),
  'refresh with a proof': async (made, client) => {
    const { refreshToken } = await issueTokens(made, client, { isBound: true })
    return proving(made, post(made, 'token', client, { grant_type: 'refresh_token', refresh_token: refreshToken }))
  },
  'refresh for a resource': async (made, client) => {
    const { refreshToken } = await issueTokens(made, client, { asked: { resource, scope: 'openid read' } })
    return post(made, 'token', client, { grant_type: 'refresh_token', refresh_token: refreshToken, resource })
  },
  'ask as a service': async (made, client) => post(made, 'token', client, { grant_type: 'client_credentials' }),
  'ask as a service for a resource': async (made, client) => post(made, 'token', client, { grant_type: 'client_credentials', resource, scope: 'read' }),
  'ask as a service with a proof': async (made, client) => proving(made, post(made, 'token', client, { grant_type: 'client_credentials' })),
  introspect: async (made, client) => post(made, 'introspect', client, { token: await issueServiceToken(made) }),
  revoke: async (made, client) => post(made, 'revoke', client, { token: await issueServiceToken(made) }),
  'begin on a device': async (made, client) => post(made, 'device_authorization', client, { scope: 'openid' }),
  'poll for a device': async (made, client) => {
    const { deviceCode, userCode } = await beginDevice(made, client)
    await decideDevice(made, userCode)
    return post(made, 'token', client, { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: deviceCode })
  },
  userinfo: async (made, client) => userinfo(made.issuer, 'Bearer', (await issueTokens(made, client)).accessToken),
  'userinfo with a proof': async (made, client) => {
    const { accessToken } = await issueTokens(made, client, { isBound: true })
    return proving(made, userinfo(made.issuer, 'DPoP', accessToken), accessToken)
  },
} as const satisfies Record<string, Right>

export type EndpointName = keyof typeof rights

/** The right request. */
export const right = (at: EndpointName, made: Made, client: ClientName): Promise<Ask> => rights[at](made, client)

/** Whether the answer grants what was asked. */
export const isGranted = async (at: EndpointName, answer: Answer, made: Made): Promise<boolean> => {
  const { place, params } = await read(answer, made)
  if (at.startsWith('authorize')) return typeof params.code === 'string' && params.iss === made.issuer && place !== 'page'
  if (at.startsWith('push')) return answer.status === 201 && String(params.request_uri).startsWith('urn:ietf:params:oauth:request_uri:')
  if (answer.status !== 200) return false
  if (at === 'introspect') return params.active === true
  if (at === 'revoke') return answer.body === ''
  if (at === 'begin on a device') return typeof params.device_code === 'string'
  return at.startsWith('userinfo') ? params.sub === made.sub : typeof params.access_token === 'string'
}

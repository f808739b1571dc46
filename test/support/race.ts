// Races: many try at once what only one may have. Each is prepared by a signed-in browser's silent authorization.
import { createHash, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto'
import { exportJWK, importPKCS8, SignJWT } from 'jose'
import { systemActor } from '../../src/platform/actor.ts'
import type { Services } from '../../src/services.ts'
import { basic, type Calls, portal, type Reply } from './calls.ts'
import { createPerson } from './person.ts'
import { bob, createRelyingParty } from './relying-party.ts'

/** Who may race: a client without grace, one that signs its assertions, and somebody signed in. */
export interface Track {
  readonly calls: Calls
  readonly issuer: string
  readonly strict: { readonly id: string; readonly secret: string; readonly redirectUri: string }
  readonly cookie: string
  /** Authorizes silently; answers the code and its verifier. */
  authorize(client: { id: string; redirectUri: string }): Promise<{ code: string; verifier: string }>
  redeem(client: { id: string; secret: string; redirectUri: string }, made: { code: string; verifier: string }): Promise<Reply>
  refresh(client: { id: string; secret: string }, refreshToken: string): Promise<Reply>
  /** A client assertion of the signing client (RFC 7523). */
  assertion(): Promise<string>
  /** A DPoP proof for the token endpoint (RFC 9449). */
  proof(): Promise<string>
}

/** The client that authenticates by assertions. */
export const signer = { id: 'race-signer' }

/** The client of a device without a browser. */
export const device = { id: 'race-device', secret: 'race_device_secret_0123456789' }

/** Makes the clients and signs somebody in, at the process that listens on the issuer's own port. */
export async function prepareTrack({ services, calls, issuer }: { services: Services; calls: Calls; issuer: string }): Promise<Track> {
  const strict = { id: 'race-strict', secret: 'race_strict_secret_0123456789', redirectUri: 'http://localhost:4000/callback' }
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = await importPKCS8(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 'ES256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'race', alg: 'ES256', use: 'sig' }
  const { id: clientId, secret, redirectUri } = strict
  const codeGrants = ['authorization_code', 'refresh_token']
  await services.clients.create(systemActor, {
    clientId,
    secret,
    name: 'Strict',
    isFirstParty: true,
    authenticationMethod: 'client_secret_basic',
    grantTypes: codeGrants,
    redirectUris: [redirectUri],
    refreshGraceSeconds: 0,
  })
  await services.clients.create(systemActor, {
    clientId: device.id,
    secret: device.secret,
    name: 'Device',
    isFirstParty: true,
    authenticationMethod: 'client_secret_basic',
    grantTypes: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
  })
  await services.clients.create(systemActor, {
    clientId: signer.id,
    name: 'Signer',
    authenticationMethod: 'private_key_jwt',
    grantTypes: ['client_credentials'],
    metadata: { jwks: { keys: [jwk] } },
  })
  const person = createPerson()
  await (await createRelyingParty(issuer)).signIn({ person, who: bob })
  const cookie = [...person.cookies.values()]
    .filter(({ path }) => path === '/')
    .map(({ name, value }) => `${name}=${value}`)
    .join('; ')

  const now = () => Math.floor(Date.now() / 1000)
  return {
    calls,
    issuer,
    strict,
    cookie,
    authorize: async client => {
      const verifier = randomBytes(32).toString('base64url')
      const answer = await calls.call(`/oauth2/authorize?${authorizationQuery(client, verifier)}`, { headers: { cookie } })
      return { code: codeOf(answer) ?? fail(answer), verifier }
    },
    redeem: (client, { code, verifier }) =>
      calls.post(
        '/oauth2/token',
        { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: client.redirectUri },
        { authorization: basic(client) },
      ),
    refresh: (client, refreshToken) =>
      calls.post('/oauth2/token', { grant_type: 'refresh_token', refresh_token: refreshToken }, { authorization: basic(client) }),
    assertion: () =>
      new SignJWT({ jti: randomUUID() })
        .setProtectedHeader({ alg: 'ES256', kid: 'race' })
        .setIssuer(signer.id)
        .setSubject(signer.id)
        .setAudience(issuer)
        .setIssuedAt()
        .setExpirationTime(now() + 60)
        .sign(key),
    proof: () =>
      new SignJWT({ jti: randomUUID(), htm: 'POST', htu: `${issuer}/oauth2/token` })
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: { kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y } })
        .setIssuedAt()
        .sign(key),
  }
}

/** The parameters of a silent authorization request. */
export function authorizationQuery({ id, redirectUri }: { id: string; redirectUri: string }, verifier: string): URLSearchParams {
  return new URLSearchParams({
    client_id: id,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid email',
    prompt: 'none',
    state: randomBytes(8).toString('hex'),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  })
}

/** The code that an authorization response carries, if it does. */
export function codeOf({ headers: { location } }: Reply): string | undefined {
  return typeof location === 'string' && URL.canParse(location) ? (new URL(location).searchParams.get('code') ?? undefined) : undefined
}

/** Whether nothing lives of a token response: neither at userinfo, nor at introspection, nor at refresh. */
export async function isDead({ calls, refresh }: Track, client: { id: string; secret: string }, { json }: Reply): Promise<boolean> {
  const token = String(json.access_token)
  const [userinfo, introspection, refreshed] = await Promise.all([
    calls.call('/oauth2/userinfo', { headers: { authorization: `Bearer ${token}` } }),
    calls.post('/oauth2/introspect', { token }, { authorization: basic(client) }),
    refresh(client, String(json.refresh_token)),
  ])
  return userinfo.status === 401 && introspection.json.active === false && refreshed.status === 400 && refreshed.json.error === 'invalid_grant'
}

/** Starts `tries` at once. */
export const together = <Result>(tries: number, one: () => Promise<Result>): Promise<Result[]> => Promise.all(Array.from({ length: tries }, one))

/** How many answers there were of each status and error, such as `200` or `400 invalid_grant`. */
export function tally(replies: readonly Reply[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status, json } of replies) {
    const kind = [status, json.error].filter(Boolean).join(' ')
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}

/** The portal of the demo data, which has a grace. */
export const lenient = portal

function fail({ status, headers, body }: Reply): never {
  throw new Error(`no code: ${status} ${headers.location ?? body.slice(0, 200)}`)
}

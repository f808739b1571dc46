// Clients that hold keys of their own: assertions, proofs and request objects as FAPI 2.0 wants them, and forged ones.
import { randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose'
import * as client from 'openid-client'
import type { NewClient } from '../../src/clients/client.ts'
import { makeClient } from './clients.ts'
import type { TestServer } from './server.ts'

export const safeRedirectUri = 'https://rp.example/callback'

/** A key pair of a client. */
export type Keys = Awaited<ReturnType<typeof generateKeyPair>> & { readonly alg: string }

/** Makes one. */
export const makeKeys = async (alg = 'ES256'): Promise<Keys> => ({ ...(await generateKeyPair(alg, { extractable: true })), alg })

/** The keys as a client registers them. */
export const jwksOf = async (...keys: readonly Keys[]) => ({
  keys: await Promise.all(keys.map(async ({ publicKey, alg }, index) => ({ ...(await exportJWK(publicKey)), alg, use: 'sig', kid: `key-${index}` }))),
})

/** What a client of a profile says of itself. */
export const profiled = async (keys: readonly Keys[], given: Partial<NewClient> = {}): Promise<Partial<NewClient>> => ({
  authenticationMethod: 'private_key_jwt',
  securityProfile: 'fapi2',
  redirectUris: [safeRedirectUri],
  ...given,
  metadata: { jwks: await jwksOf(...keys), dpop_bound_access_tokens: true, id_token_signed_response_alg: 'ES256', ...given.metadata },
})

/** Makes a client of a profile, with a key too that the profile does not allow, and its relying party, whose assertions are for the issuer alone. */
export const makeProfiled = async (server: TestServer, given: Partial<NewClient> = {}) => {
  const [keys, weakKeys] = await Promise.all([makeKeys(), makeKeys('RS256')])
  const auth = client.PrivateKeyJwt(keys.privateKey, { [client.modifyAssertion]: (_header, payload) => Object.assign(payload, { aud: server.issuer }) })
  const made = await makeClient(server, { ...(await profiled([keys, weakKeys], given)), auth })
  return { ...made, keys, weakKeys }
}

export type Profiled = Awaited<ReturnType<typeof makeProfiled>>

/** Signs claims; `exp` and `iat` are of now unless they are told. */
export const sign = ({ privateKey, alg }: Keys, claims: JWTPayload, header: Partial<JWTHeaderParameters> = {}): Promise<string> => {
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT({ jti: randomUUID(), iat: now, exp: now + 60, ...claims }).setProtectedHeader({ alg, ...header }).sign(privateKey)
}

/** A client's assertion. */
export const assertionOf = async ({ issuer }: TestServer, { clientId, keys }: Pick<Profiled, 'clientId' | 'keys'>, claims: JWTPayload = {}) => ({
  client_id: clientId,
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  client_assertion: await sign(keys, { iss: clientId, sub: clientId, aud: issuer, ...claims }),
})

/** A public key of RSA with 1024 bits. */
export const shortKey = { kty: 'RSA', e: 'AQAB', n: Buffer.alloc(128, 0xab).toString('base64url'), use: 'sig', alg: 'RS256', kid: 'short' }

/** A proof of possession (RFC 9449) for a POST. */
export const proofOf = async (keys: Keys, htu: string) => sign(keys, { htm: 'POST', htu }, { typ: 'dpop+jwt', jwk: await exportJWK(keys.publicKey) })

/** Posts a form; answers what came back. */
export const post = async (url: string, form: Readonly<Record<string, string | undefined>>, headers: Record<string, string> = {}) => {
  const body = new URLSearchParams(Object.entries(form).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as [string, string]])))
  const response = await fetch(url, { method: 'POST', body, headers, redirect: 'manual' })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, json: (text.startsWith('{') ? JSON.parse(text) : {}) as Record<string, unknown> }
}

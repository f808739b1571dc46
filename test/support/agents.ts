// Agents of a test's own, with a secret and a key, and the assertions that they sign.
import { randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import type { NewClient } from '../../src/clients/client.ts'
import { makeClient } from './clients.ts'
import { exchangeGrant, policyOf } from './exchange.ts'
import type { TestServer } from './server.ts'

export const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

/** A key that signs, and its public half as registered metadata. */
export async function makeKey(alg = 'ES256') {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { alg, privateKey, jwks: { keys: [{ ...(await exportJWK(publicKey)), alg, use: 'sig' }] } }
}

type Key = Awaited<ReturnType<typeof makeKey>>

/** Signs an assertion about the client; what is told replaces a claim, `undefined` leaves it out. */
export function assertionOf(server: TestServer, { clientId, key }: { clientId: string; key: Key }, claims: JWTPayload = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  const payload = { iss: clientId, sub: clientId, aud: server.issuer, iat: now, exp: now + 60, jti: randomUUID(), ...claims }
  return new SignJWT(payload).setProtectedHeader({ alg: key.alg }).sign(key.privateKey)
}

/** Makes an agent that may do all that agents may, and exchanges what it holds. */
export async function makeAgent(server: TestServer, given: Partial<NewClient> = {}) {
  const key = await makeKey()
  const made = await makeClient(server, {
    name: 'Acme Helper',
    isFirstParty: false,
    isAgent: true,
    grantTypes: ['authorization_code', 'refresh_token', 'client_credentials', exchangeGrant, jwtBearer],
    metadata: { jwks: key.jwks },
    tokenExchange: policyOf({ may_impersonate: false, may_delegate: true }),
    ...given,
  })
  return { ...made, key }
}

/** An agent that was made for a test. */
export type TestAgent = Awaited<ReturnType<typeof makeAgent>>

// Tokens bound to a key (RFC 9449): useless without it, and each proof is taken once.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { calculateJwkThumbprint, exportJWK, SignJWT } from 'jose'
import * as client from 'openid-client'
import { makeClient, refusal, type TestClient } from '../support/clients.ts'
import { createPerson } from '../support/person.ts'
import { alice, redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const bind = async ({ configuration }: TestClient, alg = 'ES256') => {
  const keyPair = await client.randomDPoPKeyPair(alg, { extractable: true })
  return { keyPair, DPoP: client.getDPoPHandle(configuration, keyPair) }
}
const signIn = async (relyingParty: TestClient, DPoP: client.DPoPHandle) => {
  const made = await relyingParty.request()
  const back = await createPerson().authorize(made.url, { ...alice, redirectUri })
  return client.authorizationCodeGrant(relyingParty.configuration, back, made.checks, undefined, { DPoP })
}

for (const alg of ['ES256', 'RS256', 'PS256', 'Ed25519'])
  test(`tokens are bound to the key that asked for them (${alg})`, async t => {
    const relyingParty = await makeClient(server, { grantTypes: ['client_credentials'] })
    const { keyPair, DPoP } = await bind(relyingParty, alg)
    const tokens = await client.clientCredentialsGrant(relyingParty.configuration, {}, { DPoP })
    t.is(tokens.token_type, 'dpop')
    const told = await client.tokenIntrospection(relyingParty.configuration, tokens.access_token)
    t.is(told.cnf?.jkt, await calculateJwkThumbprint(await exportJWK(keyPair.publicKey)))
    t.is(told.token_type, 'DPoP')
  })

test('userinfo answers to the key, not to another and not without', async t => {
  const relyingParty = await makeClient(server)
  const [own, other] = await Promise.all([bind(relyingParty), bind(relyingParty)])
  const { access_token } = await signIn(relyingParty, own.DPoP)
  const ask = (options?: client.DPoPOptions) => client.fetchUserInfo(relyingParty.configuration, access_token, client.skipSubjectCheck, options)
  t.is((await ask({ DPoP: own.DPoP })).email, alice.email)
  t.is(await refusal(ask({ DPoP: other.DPoP })), 'invalid_token')
  t.is(await refusal(ask()), 'invalid_token')
})

test('a public client’s refresh token answers to its key alone', async t => {
  const relyingParty = await makeClient(server, { authenticationMethod: 'none', metadata: { dpop_bound_access_tokens: true } })
  const [own, other] = await Promise.all([bind(relyingParty), bind(relyingParty)])
  const { refresh_token = '' } = await signIn(relyingParty, own.DPoP)
  t.is(await refusal(client.refreshTokenGrant(relyingParty.configuration, refresh_token, {}, { DPoP: other.DPoP })), 'invalid_grant')
  t.is((await client.refreshTokenGrant(relyingParty.configuration, refresh_token, {}, { DPoP: own.DPoP })).token_type, 'dpop')
})

test('a proof is taken once, also when it comes twice at the same moment', async t => {
  const relyingParty = await makeClient(server)
  const { keyPair, DPoP } = await bind(relyingParty)
  const { access_token } = await signIn(relyingParty, DPoP)
  const url = `${server.issuer}/oauth2/userinfo`
  const ath = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(access_token))).toString('base64url')
  const proof = await new SignJWT({ htm: 'GET', htu: url, jti: randomUUID(), ath })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(keyPair.publicKey) })
    .setIssuedAt()
    .sign(keyPair.privateKey)
  const send = async () => (await fetch(url, { headers: { authorization: `DPoP ${access_token}`, dpop: proof } })).status
  const statuses = await Promise.all([send(), send(), send(), send()])
  t.deepEqual(statuses.sort(), [200, 401, 401, 401])
  t.is(await send(), 401)
})

test('a client that must bind its tokens gets none without a proof', async t => {
  const relyingParty = await makeClient(server, { grantTypes: ['client_credentials'], metadata: { dpop_bound_access_tokens: true } })
  t.is(await refusal(client.clientCredentialsGrant(relyingParty.configuration)), 'invalid_grant')
})

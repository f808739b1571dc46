// What travels encrypted: to a client under its own key, to us under ours; and what clients are held to by their registration.
import test from 'ava'
import { CompactEncrypt, compactDecrypt, decodeProtectedHeader, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { makeClient, refusal } from '../support/clients.ts'
import { createPerson, type Person } from '../support/person.ts'
import { jwksOf, makeKeys, post, sign } from '../support/protected-clients.ts'
import { alice, redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let person: Person
test.before(async () => {
  server = await startServer()
  person = (await (await makeClient(server)).signIn({ who: alice })).person
})
test.after.always(() => server?.close())

const keysFor = async (alg: string) => {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true, crv: 'P-256' })
  return { privateKey, jwks: { keys: [{ ...(await exportJWK(publicKey)), use: 'enc', kid: 'enc-1' }] } }
}

for (const [alg, enc] of [
  ['RSA-OAEP-256', 'A256GCM'],
  ['ECDH-ES', 'A128GCM'],
  ['ECDH-ES+A256KW', 'A128CBC-HS256'],
] as const)
  test(`ID token, userinfo, introspection and the answer are encrypted under the client’s key (${alg}, ${enc})`, async t => {
    const { privateKey, jwks } = await keysFor(alg)
    const names = ['id_token', 'userinfo', 'introspection', 'authorization']
    const encryption = names.flatMap(name => [
      [`${name}_signed_response_alg`, 'ES256'],
      [`${name}_encrypted_response_alg`, alg],
      [`${name}_encrypted_response_enc`, enc],
    ])
    const relyingParty = await makeClient(server, { metadata: { jwks, ...Object.fromEntries(encryption) } })
    client.enableDecryptingResponses(relyingParty.configuration, [enc], { key: privateKey, alg, kid: 'enc-1' })
    client.useJwtResponseMode(relyingParty.configuration)
    const { url, checks } = await relyingParty.request()
    const { location } = await person.follow(await person.get(url), redirectUri)
    const header = (jwt: string) => decodeProtectedHeader(jwt)
    t.like(header(location?.searchParams.get('response') ?? ''), { alg, enc, kid: 'enc-1', cty: 'JWT' })
    const tokens = await client.authorizationCodeGrant(relyingParty.configuration, location as URL, checks)
    t.like(header(tokens.id_token ?? ''), { alg, enc })
    t.is((await client.fetchUserInfo(relyingParty.configuration, tokens.access_token, client.skipSubjectCheck)).email, alice.email)
    t.true((await client.tokenIntrospection(relyingParty.configuration, tokens.access_token)).active)
    const form = { token: tokens.access_token }
    const authorization = `Basic ${Buffer.from(`${relyingParty.clientId}:${relyingParty.secret}`).toString('base64')}`
    const told = await post(`${server.issuer}/oauth2/introspect`, form, { authorization, accept: 'application/token-introspection+jwt' })
    t.like(header(told.text), { alg, enc })
    t.is(header(Buffer.from((await compactDecrypt(told.text, privateKey)).plaintext).toString()).typ, 'token-introspection+jwt')
    t.is((await post(`${server.issuer}/oauth2/introspect`, form, { authorization, accept: 'application/json' })).json.error, 'invalid_request')
  })

for (const [what, alg, key] of [
  ['a point that is on no curve', 'ECDH-ES', { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }],
  ['an RSA key of a few bits', 'RSA-OAEP-256', { kty: 'RSA', n: 'AQAB', e: 'AQAB' }],
  ['a key that is too short', 'ECDH-ES', { kty: 'OKP', crv: 'X25519', x: 'AA' }],
  ['a key that signs', 'ECDH-ES', { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }],
] as const)
  test(`a client whose key for encryption is ${what} is told so, as its own mistake`, async t => {
    const names = ['id_token', 'introspection', 'authorization'].flatMap(name => [
      [`${name}_signed_response_alg`, 'ES256'],
      [`${name}_encrypted_response_alg`, alg],
      [`${name}_encrypted_response_enc`, 'A128GCM'],
    ])
    const made = await makeClient(server, { authenticationMethod: 'client_secret_post', metadata: { jwks: { keys: [key] }, ...Object.fromEntries(names) } })
    const { url, checks } = await made.request()
    const { location } = await person.follow(await person.get(url), redirectUri)
    const own = { client_id: made.clientId, client_secret: made.secret }
    const form = { grant_type: 'authorization_code', code: location?.searchParams.get('code') ?? '', redirect_uri: redirectUri, ...own }
    const redeemed = await post(`${server.issuer}/oauth2/token`, { ...form, code_verifier: checks.pkceCodeVerifier })
    t.like(redeemed, { status: 400, json: { error: 'invalid_client_metadata' } })
    const { tokens } = await (await makeClient(server)).signIn({ person })
    const asked = await post(`${server.issuer}/oauth2/introspect`, { token: tokens.access_token, ...own }, { accept: 'application/token-introspection+jwt' })
    t.like(asked, { status: 400, json: { error: 'invalid_client_metadata' } })
    const { url: signed } = await made.request({ response_mode: 'jwt' })
    const told = await person.get(signed)
    t.is(told.status, 400)
    t.true(told.body.includes('invalid_client_metadata'), told.body)
  })

const ourKeys = async (): Promise<JWK[]> => {
  const { keys } = (await (await fetch(`${server.issuer}/oauth2/jwks`)).json()) as { keys: JWK[] }
  return keys.filter(({ use }) => use === 'enc')
}
const encrypted = async (text: string, { alg, enc = 'A256GCM', jwk }: { alg: string; enc?: string; jwk: JWK }) =>
  new CompactEncrypt(Buffer.from(text)).setProtectedHeader({ alg, enc, kid: jwk.kid, cty: 'oauth-authz-req+jwt' }).encrypt(await importJWK(jwk, alg))

const ask = async (encrypt: (signed: string) => Promise<string>, metadata: Record<string, unknown> = {}) => {
  const keys = await makeKeys()
  const relyingParty = await makeClient(server, { metadata: { jwks: await jwksOf(keys), ...metadata } })
  const { url, checks } = await relyingParty.request()
  const claims = { ...Object.fromEntries(url.searchParams), iss: relyingParty.clientId, aud: server.issuer }
  const made = new URL(`${url.origin}${url.pathname}?${new URLSearchParams({ client_id: relyingParty.clientId, response_type: 'code', scope: 'openid' })}`)
  made.searchParams.set('request', await encrypt(await sign(keys, claims)))
  const { location } = await person.follow(await person.get(made), redirectUri)
  return { location, token: async () => (await client.authorizationCodeGrant(relyingParty.configuration, location as URL, checks)).access_token }
}

for (const alg of ['RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A256KW'])
  test(`a request object is opened with our key, and must be signed inside (${alg})`, async t => {
    const jwk = (await ourKeys()).find(({ kty }) => kty === (alg.startsWith('RSA') ? 'RSA' : 'EC')) as JWK
    t.truthy(await (await ask(signed => encrypted(signed, { alg, jwk }))).token())
    const unsigned = await ask(async signed => {
      const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url')
      return encrypted(`${none}.${signed.split('.')[1]}.`, { alg, jwk })
    })
    t.falsy(unsigned.location?.searchParams.get('code'))
  })

test('a request object under no key of ours, or by RSA1_5 or a shared secret, is refused', async t => {
  const { jwks } = await keysFor('RSA-OAEP-256')
  const wrong = await ask(signed => encrypted(signed, { alg: 'RSA-OAEP-256', jwk: jwks.keys[0] as JWK }))
  t.falsy(wrong.location?.searchParams.get('code'))
  const secret = { kty: 'oct', k: Buffer.alloc(32, 7).toString('base64url') }
  t.falsy((await ask(signed => encrypted(signed, { alg: 'dir', jwk: secret }))).location?.searchParams.get('code'))
})

test.serial('a rotated key still opens, and is no longer told', async t => {
  const before = await ourKeys()
  t.deepEqual(before.map(({ kty, alg }) => alg ?? kty).toSorted(), ['EC', 'RSA-OAEP-256'])
  await server.services.signingKeys.rotate(systemActor, { isForced: true })
  await server.app.protocol.engine.refresh()
  const after = await ourKeys()
  t.is(after.length, 2)
  t.false(after.some(({ kid }) => before.some(old => old.kid === kid)))
  for (const jwk of [...before, ...after])
    t.truthy(await (await ask(signed => encrypted(signed, { alg: jwk.kty === 'RSA' ? 'RSA-OAEP-256' : 'ECDH-ES', jwk }))).token())
})

for (const alg of ['RS256', 'PS256', 'ES256', 'EdDSA'])
  test(`ID token, userinfo and introspection are signed as the client registered (${alg})`, async t => {
    const metadata = { id_token_signed_response_alg: alg, userinfo_signed_response_alg: alg, introspection_signed_response_alg: alg }
    const relyingParty = await makeClient(server, { metadata })
    const { tokens } = await relyingParty.signIn({ who: alice })
    t.is(decodeProtectedHeader(tokens.id_token ?? '').alg, alg)
    const userinfo = await fetch(`${server.issuer}/oauth2/userinfo`, { headers: { authorization: `Bearer ${tokens.access_token}` } })
    t.is(decodeProtectedHeader(await userinfo.text()).alg, alg)
    const authorization = `Basic ${Buffer.from(`${relyingParty.clientId}:${relyingParty.secret}`).toString('base64')}`
    const told = await post(
      `${server.issuer}/oauth2/introspect`,
      { token: tokens.access_token },
      { authorization, accept: 'application/token-introspection+jwt' },
    )
    t.is(decodeProtectedHeader(told.text).alg, alg)
  })

test('a client that registered the algorithm of its assertions is refused another (token_endpoint_auth_signing_alg)', async t => {
  const [own, other] = await Promise.all([makeKeys('ES256'), makeKeys('PS256')])
  const metadata = { jwks: await jwksOf(own, other), token_endpoint_auth_signing_alg: 'PS256' }
  const made = { authenticationMethod: 'private_key_jwt', grantTypes: ['client_credentials'], metadata } as const
  const relyingParty = await makeClient(server, { ...made, auth: client.PrivateKeyJwt({ key: other.privateKey, kid: 'key-1' }) })
  t.truthy((await client.clientCredentialsGrant(relyingParty.configuration)).access_token)
  const forged = await client.discovery(new URL(server.issuer), relyingParty.clientId, {}, client.PrivateKeyJwt({ key: own.privateKey, kid: 'key-0' }), {
    execute: [client.allowInsecureRequests],
  })
  t.is(await refusal(client.clientCredentialsGrant(forged)), 'invalid_client')
})

test('a client that registered the algorithm of its request objects is refused another (request_object_signing_alg)', async t => {
  const same = await ask(async signed => signed, { request_object_signing_alg: 'ES256' })
  t.truthy(await same.token())
  t.falsy((await ask(async signed => signed, { request_object_signing_alg: 'PS256' })).location?.searchParams.get('code'))
})

test('a client that signs its requests is refused what is not signed (require_signed_request_object)', async t => {
  const relyingParty = await makeClient(server, { metadata: { jwks: await jwksOf(await makeKeys()), require_signed_request_object: true } })
  const { url } = await relyingParty.request({ prompt: 'none' })
  t.is((await person.get(url)).location?.searchParams.get('error'), 'invalid_request')
})

test('a client’s default_max_age asks again like max_age, and auth_time is told', async t => {
  const relyingParty = await makeClient(server, { metadata: { default_max_age: 0 } })
  const { url } = await relyingParty.request({ prompt: 'none' })
  t.is((await person.get(url)).location?.searchParams.get('error'), 'login_required')
  const { tokens } = await relyingParty.signIn({ person: createPerson(), who: alice, checks: { maxAge: 600 } })
  t.is(typeof tokens.claims()?.auth_time, 'number')
})

test('a client cannot ask for what is not signed: none is no algorithm', async t => {
  for (const name of ['id_token_signed_response_alg', 'userinfo_signed_response_alg', 'request_object_signing_alg', 'authorization_signed_response_alg']) {
    const relyingParty = await makeClient(server, { metadata: { [name]: 'none' } })
    const { url } = await relyingParty.request()
    t.is((await createPerson().get(url)).status, 400, name)
  }
})

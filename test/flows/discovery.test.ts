// What clients and the issuer know of one another: its metadata, its keys and the ways into the authorization endpoint; and how they prove
// who they are at the token endpoint (OpenID Connect Core §9).
import test from 'ava'
import { exportJWK, generateKeyPair } from 'jose'
import type { ServerMetadata } from 'openid-client'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { makeClient, refusal, type TestClient } from '../support/clients.ts'
import { createPerson } from '../support/person.ts'
import { createRelyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const documents = ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server', '/oauth2/jwks']
interface Key {
  readonly alg?: string
  readonly kty: string
  readonly use: string
  readonly kid: string
}

const read = (path: string, headers: Record<string, string> = {}) => fetch(`${server.issuer}${path}`, { headers })
const readMetadata = async (path = '/.well-known/openid-configuration') => (await (await read(path)).json()) as ServerMetadata

test('both well-known locations tell the same metadata (RFC 8414)', async t => {
  const [openid, oauth] = await Promise.all(documents.slice(0, 2).map(readMetadata))
  t.deepEqual(openid, oauth)
  t.is(openid?.issuer, server.issuer)
})

test('the metadata names each endpoint at its place', async t => {
  const metadata = await readMetadata()
  const places = {
    authorization_endpoint: 'authorize',
    token_endpoint: 'token',
    userinfo_endpoint: 'userinfo',
    jwks_uri: 'jwks',
    introspection_endpoint: 'introspect',
    revocation_endpoint: 'revoke',
    pushed_authorization_request_endpoint: 'par',
    device_authorization_endpoint: 'device_authorization',
    registration_endpoint: 'register',
    end_session_endpoint: 'logout',
  }
  for (const [name, place] of Object.entries(places)) t.is(metadata[name], `${server.issuer}/oauth2/${place}`, name)
})

test('the metadata promises the code flow with S256, RFC 9207 and no weaker way', async t => {
  const metadata = await readMetadata()
  t.deepEqual(metadata.code_challenge_methods_supported, ['S256'])
  t.deepEqual(metadata.response_types_supported, ['code'])
  t.deepEqual([...(metadata.subject_types_supported ?? [])].sort(), ['pairwise', 'public'])
  t.true(metadata.authorization_response_iss_parameter_supported)
  t.true(metadata.backchannel_logout_supported)
  t.true(metadata.backchannel_logout_session_supported)
  t.true(metadata.claims_parameter_supported)
  t.true(metadata.grant_types_supported?.includes('urn:ietf:params:oauth:grant-type:token-exchange'))
  t.true(metadata.request_parameter_supported)
  t.deepEqual([...(metadata.id_token_signing_alg_values_supported ?? [])].sort(), ['ES256', 'EdDSA', 'PS256', 'RS256'])
  t.deepEqual(metadata.request_object_encryption_alg_values_supported?.toSorted(), ['ECDH-ES', 'ECDH-ES+A256KW', 'RSA-OAEP-256'])
  t.deepEqual(
    ['openid', 'offline_access', 'email', 'profile'].filter(scope => !metadata.scopes_supported?.includes(scope)),
    [],
  )
})

test('the metadata say how clients authenticate wherever they do (RFC 8414 §2), and promise no user code (CIBA Core §4)', async t => {
  const metadata = (await readMetadata()) as Record<string, unknown>
  t.true([metadata.token_endpoint_auth_methods_supported].flat().includes('private_key_jwt'))
  const methods = [metadata.token_endpoint_auth_methods_supported].flat()
  t.deepEqual(metadata.revocation_endpoint_auth_methods_supported, methods)
  t.deepEqual(
    metadata.introspection_endpoint_auth_methods_supported,
    methods.filter(method => method !== 'none'),
  )
  for (const endpoint of ['introspection', 'revocation'])
    t.deepEqual(metadata[`${endpoint}_endpoint_auth_signing_alg_values_supported`], metadata.token_endpoint_auth_signing_alg_values_supported, endpoint)
  t.truthy(metadata.backchannel_authentication_endpoint)
  t.false(metadata.backchannel_user_code_parameter_supported ?? false)
})

test('the key set has public keys of each algorithm and no private member', async t => {
  const { keys } = (await (await read('/oauth2/jwks')).json()) as { keys: Key[] }
  const told = (use: string) => [...new Set(keys.filter(key => key.use === use).map(key => key.alg ?? key.kty))].sort()
  t.deepEqual(told('sig'), ['ES256', 'EdDSA', 'PS256', 'RS256'])
  t.deepEqual(told('enc'), ['EC', 'RSA-OAEP-256'])
  t.is(new Set(keys.map(key => key.kid)).size, keys.length)
  for (const key of keys)
    t.deepEqual(
      ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'].filter(member => member in key),
      [],
    )
})

for (const path of documents)
  test(`${path} may be kept, is answered 304 when it did not change, and is readable from any origin`, async t => {
    const first = await read(path, { origin: 'https://elsewhere.example' })
    t.is(first.status, 200)
    t.regex(first.headers.get('cache-control') ?? '', /^public, max-age=\d+$/)
    t.is(first.headers.get('access-control-allow-origin'), '*')
    const etag = first.headers.get('etag') ?? ''
    t.truthy(etag)
    for (const offered of [etag, `W/${etag}`, `"other", ${etag}`]) t.is((await read(path, { 'if-none-match': offered })).status, 304, offered)
    t.is((await read(path, { 'if-none-match': '"other"' })).status, 200)
  })

test('an authorization request may come as a POST', async t => {
  const { request } = await createRelyingParty(server.issuer)
  const { url } = await request()
  const person = createPerson()
  const answer = await person.post(new URL(url.pathname, url), url.searchParams)
  t.is(answer.status, 303)
  t.regex(answer.location?.pathname ?? '', /^\/interaction\//)
  t.is((await person.follow(answer, 'none:')).status, 200)
})

test('an authorization request posted by another site is sent on with GET, so that it brings its cookies', async t => {
  const { request } = await createRelyingParty(server.issuer)
  const { url } = await request()
  const answer = await createPerson().post(new URL(url.pathname, url), url.searchParams, {
    'sec-fetch-site': 'cross-site',
    origin: 'https://elsewhere.example',
  })
  t.is(answer.status, 303)
  t.is(answer.location?.pathname, '/oauth2/authorize')
  t.deepEqual([...(answer.location?.searchParams ?? [])].sort(), [...url.searchParams].sort())
  t.is(answer.headers.get('set-cookie'), null)
})

test('an authorization or a logout request may come as an empty POST, and as no form at all is 415', async t => {
  for (const [path, empty] of [
    ['authorize', 400],
    ['logout', 200],
  ] as const) {
    const url = new URL(`${server.issuer}/oauth2/${path}`)
    t.is((await createPerson().send(url, { method: 'POST' })).status, empty, path)
    for (const type of ['application/json', 'multipart/form-data; boundary=x', ''])
      t.is((await createPerson().send(url, { method: 'POST', body: Buffer.from('{}'), headers: type ? { 'content-type': type } : {} })).status, 415, path)
  }
})

test('a parameter given twice is refused, by GET and by POST', async t => {
  const { request } = await createRelyingParty(server.issuer)
  const { url } = await request({ prompt: 'none' })
  url.searchParams.append('nonce', 'another')
  for (const answer of [await createPerson().get(url), await createPerson().post(new URL(url.pathname, url), url.searchParams)])
    t.is(answer.location?.searchParams.get('error'), 'invalid_request')
})

const grantTypes = ['client_credentials']
const given = ({ configuration }: Pick<TestClient, 'configuration'>) => client.clientCredentialsGrant(configuration)
const as = (clientId: string, auth: client.ClientAuth) => createRelyingParty(server.issuer, { clientId, auth })

for (const authenticationMethod of ['client_secret_basic', 'client_secret_post', 'client_secret_jwt'] as const)
  test(`${authenticationMethod}: the secret opens, another does not`, async t => {
    const own = await makeClient(server, { authenticationMethod, grantTypes })
    t.truthy((await given(own)).access_token)
    const forge = { client_secret_basic: client.ClientSecretBasic, client_secret_post: client.ClientSecretPost, client_secret_jwt: client.ClientSecretJwt }
    t.is(await refusal(given(await as(own.clientId, forge[authenticationMethod]('another secret of some length, long enough')))), 'invalid_client')
  })

test('a secret may have any character of RFC 6749 appendix A.2, and is escaped in Basic (RFC 6749 §2.3.1)', async t => {
  const own = await makeClient(server, { grantTypes, secret: 'a:b%c+d e&f=~"\\' })
  t.truthy((await given(own)).access_token)
})

test('a client authenticates by its own method and no other, but that Basic and post are taken for each other', async t => {
  const [basic, post] = await Promise.all([makeClient(server, { grantTypes }), makeClient(server, { grantTypes, authenticationMethod: 'client_secret_post' })])
  t.truthy((await given(await as(basic.clientId, client.ClientSecretPost(basic.secret)))).access_token)
  t.truthy((await given(await as(post.clientId, client.ClientSecretBasic(post.secret)))).access_token)
  t.is(await refusal(given(await as(post.clientId, client.ClientSecretJwt(post.secret)))), 'invalid_client')
  t.is(await refusal(given(await as(post.clientId, client.None()))), 'invalid_client')
  t.is(await refusal(given(await as(basic.clientId, client.None()))), 'invalid_client')
  t.is(await refusal(given(await as('no-such-client', client.ClientSecretBasic('some secret')))), 'invalid_client')
})

test('a client that opted in to no HMAC cannot be impersonated with the stand-in of its secret', async t => {
  const own = await makeClient(server, { grantTypes })
  const standIn = server.resources.secrets.digest('client-stand-in', own.clientId).toString('base64url')
  for (const forge of [client.ClientSecretBasic, client.ClientSecretPost, client.ClientSecretJwt])
    t.is(await refusal(given(await as(own.clientId, forge(standIn)))), 'invalid_client')
})

for (const alg of ['ES256', 'RS256', 'EdDSA'])
  test(`private_key_jwt: a key of the client’s own opens (${alg}), another does not`, async t => {
    const [own, other] = await Promise.all([generateKeyPair(alg, { extractable: true }), generateKeyPair(alg)])
    const jwks = { keys: [{ ...(await exportJWK(own.publicKey)), kid: 'first', use: 'sig' }] }
    const auth = client.PrivateKeyJwt({ key: own.privateKey, kid: 'first' })
    const relyingParty = await makeClient(server, { authenticationMethod: 'private_key_jwt', grantTypes, metadata: { jwks }, auth })
    t.truthy((await given(relyingParty)).access_token)
    const forged = await as(relyingParty.clientId, client.PrivateKeyJwt({ key: other.privateKey, kid: 'first' }))
    t.is(await refusal(given(forged)), 'invalid_client')
  })

test('a client assertion is taken once (RFC 7523 §3)', async t => {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  const assertions: string[] = []
  const metadata = { jwks: { keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256' }] } }
  const auth: client.ClientAuth = async (as, metadata, body, headers) => {
    await client.PrivateKeyJwt(privateKey)(as, metadata, body, headers)
    assertions.push(body.get('client_assertion') ?? '')
    body.set('client_assertion', assertions[0] ?? '')
  }
  const relyingParty = await makeClient(server, { authenticationMethod: 'private_key_jwt', grantTypes, metadata, auth })
  t.truthy((await given(relyingParty)).access_token)
  t.is(await refusal(given(relyingParty)), 'invalid_client')
})

test('several secrets open until they expire or are revoked', async t => {
  const { prisma } = server.resources.database
  const own = await makeClient(server, { grantTypes })
  const add = async (secret: string, expiresAt: Date | null) => {
    const digest = Uint8Array.from(server.resources.secrets.digest('client-secret', secret))
    const { id } = await prisma.client.update({ where: { clientId: own.clientId }, data: { version: { increment: 1 } } })
    return prisma.clientSecret.create({ data: { clientId: id, hint: secret.slice(-4), digest, expiresAt } })
  }
  const isOpenedBy = async (secret: string) => {
    const answer = given(await as(own.clientId, client.ClientSecretBasic(secret)))
    return answer.then(
      () => true,
      () => false,
    )
  }
  await add('the expired secret', new Date(Date.now() - 1000))
  const second = await add('the second secret', new Date(Date.now() + 60_000))
  await until(() => isOpenedBy('the second secret'), 5)
  t.true(await isOpenedBy(own.secret))
  t.false(await isOpenedBy('the expired secret'))

  await prisma.clientSecret.update({ where: { id: second.id }, data: { revokedAt: new Date() } })
  await prisma.client.update({ where: { clientId: own.clientId }, data: { version: { increment: 1 } } })
  await until(async () => !(await isOpenedBy('the second secret')), 5)
  t.true(await isOpenedBy(own.secret))
})

test('each of several secrets that sign opens until it expires or is revoked', async t => {
  const { clientAdministration: administration } = server.services
  const own = await makeClient(server, { grantTypes, authenticationMethod: 'client_secret_jwt' })
  const { id } = await server.resources.database.prisma.client.findUniqueOrThrow({ where: { clientId: own.clientId } })
  const isOpenedBy = async (secret: string) =>
    given(await as(own.clientId, client.ClientSecretJwt(secret))).then(
      () => true,
      () => false,
    )
  const second = await administration.addSecret(systemActor, { id }, {})
  const third = await administration.addSecret(systemActor, { id }, { expiresAt: new Date(Date.now() + 4000) })
  await until(() => isOpenedBy(third.secret), 5)
  for (const secret of [own.secret, second.secret]) t.true(await isOpenedBy(secret))
  await administration.revokeSecret(systemActor, { id }, second.clientSecret.id)
  await until(async () => !(await isOpenedBy(second.secret)), 5)
  await until(async () => !(await isOpenedBy(third.secret)), 10)
  t.true(await isOpenedBy(own.secret))
})

test('a grant type that a client is not registered for is refused', async t => {
  const relyingParty = await makeClient(server)
  t.is(await refusal(given(relyingParty)), 'unauthorized_client')
  t.is(await refusal(client.genericGrantRequest(relyingParty.configuration, 'password', { username: 'a', password: 'b' })), 'unsupported_grant_type')
})

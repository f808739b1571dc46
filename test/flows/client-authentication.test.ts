// How clients prove who they are at the token endpoint (OpenID Connect Core §9), and what is refused.
import test from 'ava'
import { exportJWK, generateKeyPair } from 'jose'
import * as client from 'openid-client'
import { makeClient, refusal, type TestClient } from '../support/clients.ts'
import { createRelyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

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

test('a client authenticates by its own method and no other', async t => {
  const [basic, post] = await Promise.all([makeClient(server, { grantTypes }), makeClient(server, { grantTypes, authenticationMethod: 'client_secret_post' })])
  t.is(await refusal(given(await as(post.clientId, client.ClientSecretJwt(post.secret)))), 'invalid_client')
  t.is(await refusal(given(await as(post.clientId, client.None()))), 'invalid_client')
  t.is(await refusal(given(await as(basic.clientId, client.None()))), 'invalid_client')
  t.is(await refusal(given(await as('no-such-client', client.ClientSecretBasic('some secret')))), 'invalid_client')
})

test('a client that opted in to no HMAC cannot be impersonated with the stand-in of its secret', async t => {
  const own = await makeClient(server, { grantTypes })
  const standIn = server.resources.secrets.digest('client-secret', `stand-in:${own.clientId}`).toString('base64url')
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

test('a grant type that a client is not registered for is refused', async t => {
  const relyingParty = await makeClient(server)
  t.is(await refusal(given(relyingParty)), 'unauthorized_client')
  t.is(await refusal(client.genericGrantRequest(relyingParty.configuration, 'password', { username: 'a', password: 'b' })), 'unsupported_grant_type')
})

// Clients that prove themselves by a certificate (RFC 8705): over our own TLS, and through a proxy that ends it.
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import test from 'ava'
import { decodeJwt } from 'jose'
import * as client from 'openid-client'
import { Agent, fetch as undiciFetch } from 'undici'
import type { NewClient } from '../../src/clients/client.ts'
import { readConfig } from '../../src/config.ts'
import { createListener, openMutualTls } from '../../src/tls.ts'
import { asByteSequence, asEscapedPem, asJwk, type Certified, certify, writeFiles } from '../support/certificates.ts'
import { makeClient, refusal } from '../support/clients.ts'
import { createPerson } from '../support/person.ts'
import { safeRedirectUri } from '../support/protected-clients.ts'
import { alice } from '../support/relying-party.ts'
import { freePort, startServer, type TestServer } from '../support/server.ts'

let authority: Certified
let files: Record<string, string>
let own: TestServer
let proxied: TestServer
test.before(async () => {
  authority = await certify({ subject: 'CN=Authority', isAuthority: true })
  const purposes = ['1.3.6.1.5.5.7.3.1']
  const localhost = await certify({ issuer: authority, subject: 'CN=localhost', names: [{ type: 'dns', value: 'localhost' }], purposes })
  files = writeFiles({ cert: localhost.cert, key: localhost.key, ca: authority.cert })
  setDefaultCACertificates([...getCACertificates('default'), authority.cert])
  const port = await freePort()
  own = await startServer({
    port,
    settings: { ISSUER: `https://localhost:${port}`, TLS_CERT_FILE: files.cert ?? '', TLS_KEY_FILE: files.key ?? '', TLS_CLIENT_CA_FILE: files.ca ?? '' },
  })
  const other = await freePort()
  proxied = await startServer({
    port: other,
    settings: { TRUST_PROXY: '1', CLIENT_CERTIFICATE_HEADER: 'Client-Cert', TLS_CLIENT_CA_FILE: files.ca ?? '', MTLS_ORIGIN: `http://127.0.0.1:${other}` },
  })
})
test.after.always(async () => {
  await own?.close()
  await proxied?.close()
})

const subject = 'CN=Client One,O=Example'
const issued = (given: Parameters<typeof certify>[0] = {}) => certify({ issuer: authority, subject: 'O=Example, CN=Client One', ...given })
const byAuthority = { authenticationMethod: 'tls_client_auth', grantTypes: ['client_credentials'] } as const
const bound = { tls_client_certificate_bound_access_tokens: true }

/** A relying party whose every request comes with the certificate. */
const holding = async (server: TestServer, certified: Certified | undefined, given: Partial<NewClient>) => {
  const made = await makeClient(server, { ...given, auth: client.TlsClientAuth() })
  return { ...made, as: (other: Certified | undefined) => use(made.configuration, other), ...(await use(made.configuration, certified)) }
}
const use = async (configuration: client.Configuration, certified: Certified | undefined) => {
  const dispatcher = new Agent({ connect: { ca: authority.cert, ...(certified ? { cert: certified.cert, key: certified.key } : {}) } })
  configuration[client.customFetch] = (url, options) => undiciFetch(url, { ...(options as object), dispatcher }) as never
  return { configuration }
}
const given = ({ configuration }: { configuration: client.Configuration }) => client.clientCredentialsGrant(configuration)

test('an authority’s certificate opens for the client whose subject it names, and no other certificate does', async t => {
  const [right, wrong, stranger, ended] = await Promise.all([
    issued(),
    issued({ subject: 'O=Example, CN=Client Two' }),
    certify({ subject: 'O=Example, CN=Client One' }),
    issued({ endedDaysAgo: 1 }),
  ])
  const relyingParty = await holding(own, right, { ...byAuthority, metadata: { tls_client_auth_subject_dn: subject } })
  t.truthy((await given(relyingParty)).access_token)
  for (const other of [wrong, stranger, ended, undefined]) {
    await relyingParty.as(other)
    t.is(await refusal(given(relyingParty)), 'invalid_client')
  }
})

for (const [name, value, type] of [
  ['tls_client_auth_san_dns', 'client.example', 'dns'],
  ['tls_client_auth_san_uri', 'https://client.example/one', 'url'],
  ['tls_client_auth_san_ip', '192.0.2.7', 'ip'],
  ['tls_client_auth_san_email', 'client@example.com', 'email'],
] as const)
  test(`a client may be known by ${name}`, async t => {
    const relyingParty = await holding(own, await issued({ names: [{ type, value }] }), { ...byAuthority, metadata: { [name]: value } })
    t.truthy((await given(relyingParty)).access_token)
    await relyingParty.as(await issued({ names: [{ type: 'dns', value: 'other.example' }] }))
    t.is(await refusal(given(relyingParty)), 'invalid_client')
  })

test('a certificate of a client’s own making opens where it is registered, and no other does', async t => {
  const [mine, other] = await Promise.all([certify({ subject: 'CN=Self' }), certify({ subject: 'CN=Self' })])
  const metadata = { jwks: { keys: [await asJwk(mine)] } }
  const relyingParty = await holding(own, mine, { authenticationMethod: 'self_signed_tls_client_auth', grantTypes: ['client_credentials'], metadata })
  t.truthy((await given(relyingParty)).access_token)
  await relyingParty.as(other)
  t.is(await refusal(given(relyingParty)), 'invalid_client')
})

test('FAPI 2.0 with mutual TLS alone: pushed, and bound to the certificate everywhere (RFC 8705 §3)', async t => {
  const certified = await issued()
  const relyingParty = await holding(own, certified, {
    authenticationMethod: 'tls_client_auth',
    securityProfile: 'fapi2',
    redirectUris: [safeRedirectUri],
    metadata: { tls_client_auth_subject_dn: subject, id_token_signed_response_alg: 'ES256', ...bound },
  })
  const made = await relyingParty.request({ scope: 'openid email offline_access', prompt: 'consent' })
  const url = await client.buildAuthorizationUrlWithPAR(
    relyingParty.configuration,
    [...made.url.searchParams].filter(([name]) => name !== 'client_id') as never,
  )
  const back = await createPerson().authorize(url, { ...alice, redirectUri: safeRedirectUri })
  const tokens = await client.authorizationCodeGrant(relyingParty.configuration, back, made.checks)
  const thumbprint = Buffer.from(await crypto.subtle.digest('SHA-256', certified.certificate.rawData)).toString('base64url')
  t.like(await client.tokenIntrospection(relyingParty.configuration, tokens.access_token), { active: true, cnf: { 'x5t#S256': thumbprint } })
  t.is((await client.fetchUserInfo(relyingParty.configuration, tokens.access_token, client.skipSubjectCheck)).email, alice.email)
  t.truthy((await client.refreshTokenGrant(relyingParty.configuration, tokens.refresh_token ?? '')).access_token)
  // Of the same client, by the same name: another certificate.
  await relyingParty.as(await issued())
  t.is(await refusal(client.fetchUserInfo(relyingParty.configuration, tokens.access_token, client.skipSubjectCheck)), 'invalid_token')
})

test('a token for our API that is bound to a certificate is refused without it', async t => {
  const relyingParty = await holding(own, await issued(), {
    ...byAuthority,
    apiPermissions: ['users:read'],
    metadata: { tls_client_auth_subject_dn: subject, ...bound },
  })
  const { access_token: token } = await client.clientCredentialsGrant(relyingParty.configuration, { resource: `${own.issuer}/api/v1`, scope: 'users:read' })
  t.truthy(Reflect.get(Object(decodeJwt(token).cnf), 'x5t#S256'))
  t.is((await fetch(`${own.issuer}/api/v1/users`, { headers: { authorization: `Bearer ${token}` } })).status, 401)
})

test('a public client’s refresh token is bound to its certificate (RFC 8705 §4)', async t => {
  const relyingParty = await makeClient(own, { authenticationMethod: 'none', redirectUris: [safeRedirectUri], metadata: bound })
  await use(relyingParty.configuration, await certify())
  const made = await relyingParty.request({ scope: 'openid offline_access', prompt: 'consent' })
  const back = await createPerson().authorize(made.url, { ...alice, redirectUri: safeRedirectUri })
  const { refresh_token: refreshToken = '' } = await client.authorizationCodeGrant(relyingParty.configuration, back, made.checks)
  await use(relyingParty.configuration, await certify())
  t.is(await refusal(client.refreshTokenGrant(relyingParty.configuration, refreshToken)), 'invalid_grant')
  await use(relyingParty.configuration, undefined)
  t.is(await refusal(client.refreshTokenGrant(relyingParty.configuration, refreshToken)), 'invalid_grant')
})

const ask = async (clientId: string, headers: Record<string, string>, origin = proxied.issuer) => {
  const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId })
  const response = await fetch(`${origin}/oauth2/token`, { method: 'POST', body, headers })
  return { status: response.status, json: (await response.json()) as Record<string, unknown> }
}

test('a proxy hands the certificate on, and who goes around it has none', async t => {
  const certified = await issued()
  const { clientId } = await makeClient(proxied, { ...byAuthority, metadata: { tls_client_auth_subject_dn: subject }, auth: client.TlsClientAuth() })
  const through = { 'x-forwarded-for': '198.51.100.7' }
  for (const value of [asByteSequence(certified), asEscapedPem(certified)]) {
    t.is((await ask(clientId, { ...through, 'client-cert': value })).status, 200)
    t.is((await ask(clientId, { 'client-cert': value })).json.error, 'invalid_client')
  }
  t.is((await ask(clientId, through)).json.error, 'invalid_client')
  const stranger = asByteSequence(await certify({ subject: 'O=Example, CN=Client One' }))
  t.is((await ask(clientId, { ...through, 'client-cert': stranger })).json.error, 'invalid_client')
})

test('without the setting a header is nothing', async t => {
  const { clientId } = await makeClient(own, { ...byAuthority, metadata: { tls_client_auth_subject_dn: subject }, auth: client.TlsClientAuth() })
  const headers = { 'x-forwarded-for': '198.51.100.7', 'client-cert': asByteSequence(await issued()) }
  t.is((await ask(clientId, headers, own.issuer)).json.error, 'invalid_client')
})

// Where clients authenticate, or present a token that may be bound to a certificate.
const authenticated = new Set(
  ['token', 'userinfo', 'introspection', 'revocation', 'pushed_authorization_request', 'device_authorization', 'backchannel_authentication'].map(
    name => `${name}_endpoint`,
  ),
)

test('discovery tells of the methods, and of the endpoints at the other origin, which answers those alone (RFC 8705 §5)', async t => {
  const metadata = async (server: TestServer) => (await fetch(`${server.issuer}/.well-known/openid-configuration`)).json() as Promise<Record<string, unknown>>
  const [plain, aliased] = [await metadata(own), await metadata(proxied)]
  for (const one of [plain, aliased]) {
    t.true(one.tls_client_certificate_bound_access_tokens)
    t.true(['tls_client_auth', 'self_signed_tls_client_auth'].every(method => [one.token_endpoint_auth_methods_supported].flat().includes(method)))
  }
  t.is(plain.mtls_endpoint_aliases, undefined)
  const alias = Reflect.get(Object(aliased.mtls_endpoint_aliases), 'token_endpoint')
  t.is(alias, `${new URL(alias).origin}/oauth2/token`)
  t.not(new URL(alias).origin, proxied.issuer)
  const wherever = Object.keys(aliased).filter(name => authenticated.has(name))
  t.deepEqual(Object.keys(Object(aliased.mtls_endpoint_aliases)).sort(), wherever.sort())
  const elsewhere = await fetch(`${new URL(alias).origin}/.well-known/openid-configuration`)
  t.is(elsewhere.status, 421)
})

test('files that cannot be used end the start in a sentence', t => {
  const tls = (settings: Record<string, string>) => readConfig({ ISSUER: 'https://localhost', TRUST_PROXY: '1', ...settings })
  const { cert = '', key = '', ca = '' } = files
  const listen = (settings: Record<string, string>) =>
    createListener(tls({ TLS_CERT_FILE: cert, TLS_KEY_FILE: key, ...settings }), { listener: () => undefined, log: own.resources.log })
  t.throws(() => listen({ TLS_KEY_FILE: '/nowhere' }), { name: 'StartError' })
  t.throws(() => listen({ TLS_KEY_FILE: ca }), { name: 'StartError' })
  const header = { CLIENT_CERTIFICATE_HEADER: 'Client-Cert' }
  for (const file of ['/nowhere', key]) t.throws(() => openMutualTls(tls({ ...header, TLS_CLIENT_CA_FILE: file }), () => new Date()), { name: 'StartError' })
  t.is(
    openMutualTls(tls({}), () => new Date()),
    undefined,
  )
})

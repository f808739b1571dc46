// Clients that nobody made here: known by the address of a document that tells of them (client ID metadata documents).
import test from 'ava'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { refusal } from '../support/clients.ts'
import { bobOf, type DocumentClient, makeDocumentClient, stranger } from '../support/document-client.ts'
import { type Document, startDocuments } from '../support/metadata-documents.ts'
import { shortKey } from '../support/protected-clients.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let documents: Awaited<ReturnType<typeof startDocuments>>
test.before(async () => {
  documents = await startDocuments()
  server = await startServer({
    world: [documents.standing],
    settings: { TRUST_PROXY: '1', CLIENT_ID_METADATA_DENIED_HOSTS: 'app0.example.com, *.evil.example' },
  })
  // The first host is the denied one.
  denied = documents.make()
})
test.after.always(async () => {
  await server?.close()
  documents?.close()
})

let denied: Document
const of = (document: Document) => makeDocumentClient(server, document)
const rowOf = (document: Document) => server.resources.database.prisma.client.findUnique({ where: { clientId: document.id }, include: { document: true } })
/** Its document is read again with the next request that needs it. */
const age = async (document: Document, { days = 0 } = {}) => {
  const { prisma } = server.resources.database
  const row = await rowOf(document)
  const fetchedAt = new Date(Date.now() - days * 86_400_000 - 1000)
  await prisma.clientDocument.update({ where: { clientId: row?.id ?? '' }, data: { freshUntil: new Date(0), ...(days ? { fetchedAt } : {}) } })
  await new Promise(resolve => setTimeout(resolve, 1100))
}
const open = async ({ request }: DocumentClient, parameters: Record<string, string> = {}) => stranger().get((await request(parameters)).url)
const eventsOf = (document: Document) =>
  server.resources.database.pool.query('SELECT action AS name FROM audit_events WHERE target::text LIKE $1', [`%${document.id}%`])

test('the metadata say that documents are taken', async t => {
  for (const path of ['openid-configuration', 'oauth-authorization-server']) {
    const metadata = (await (await fetch(`${server.issuer}/.well-known/${path}`)).json()) as Record<string, unknown>
    t.true(metadata.client_id_metadata_document_supported)
  }
})

test('a person signs in to a client that nobody registered, which refreshes and reads userinfo', async t => {
  const document = documents.make()
  const app = await of(document)
  const { tokens } = await app.signIn()
  const refreshed = await client.refreshTokenGrant(app.configuration, tokens.refresh_token ?? '')
  t.truthy((await client.fetchUserInfo(app.configuration, refreshed.access_token, tokens.claims()?.sub ?? '')).email)
  t.is(document.asked(), 1)
  const row = await rowOf(document)
  t.is(row?.source, 'document')
  t.false(row?.firstParty)
  t.truthy(row?.usedAt)
})

test('consent names the host that is certain, says what the client calls itself, and shows no picture of its choice', async t => {
  const document = documents.make({ client_name: 'Your Bank', logo_uri: 'https://logos.example/bank.png' })
  const app = await of(document)
  const { page } = await app.toConsent()
  const { host } = new URL(document.origin)
  t.regex(page.body, new RegExp(`<h1>[^]*${host}[^]*</h1>`))
  t.regex(page.body, /says it is <strong><bdi>Your Bank<\/bdi><\/strong>/)
  t.true(page.body.includes('Not verified'))
  t.false(page.body.includes('logos.example'))
  t.is((await rowOf(document))?.usedAt ?? null, null)
})

test('consent is remembered for exactly this client, listed in the account centre’s words, and taken back with all its tokens', async t => {
  const one = documents.make()
  one.say({ redirect_uris: [`${one.origin}/callback`] })
  const app = await of(one)
  const { tokens, person } = await app.signIn()
  t.truthy((await app.visit(person)).searchParams.get('code'))
  const user = await bobOf(server)
  const listed = (await server.services.consents.list(user.id)).find(({ clientId }) => clientId === one.id)
  t.is(listed?.source, 'document')
  await server.services.consents.revoke({ ...systemActor, kind: 'user', id: user.id }, { userId: user.id, clientId: one.id })
  await t.throwsAsync(client.refreshTokenGrant(app.configuration, tokens.refresh_token ?? ''))
  t.is(await refusal(client.fetchUserInfo(app.configuration, tokens.access_token, tokens.claims()?.sub ?? '')), 'invalid_token')
})

test('on the loopback the port may be any, and consent is asked each time: any program may listen there', async t => {
  const app = await makeDocumentClient(server, documents.make(), { redirectUri: 'http://127.0.0.1:53682/callback' })
  const { person } = await app.signIn()
  const again = await person.follow(await person.get((await app.request()).url), app.redirectUri)
  t.true(again.body.includes('name="decision"'))
  t.true(again.body.includes('127.0.0.1:53682'))
})

const refused: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'another client_id': { client_id: 'https://app1.example.com/other.json' },
  'a secret': { client_secret: 'everybody reads this' },
  'a date for a secret': { client_secret_expires_at: 0 },
  'a method with a secret': { token_endpoint_auth_method: 'client_secret_basic' },
  'a symmetric algorithm': { token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'HS256', jwks: { keys: [] } },
  'a key that is secret': { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] } },
  'a method that needs keys, and none': { token_endpoint_auth_method: 'private_key_jwt' },
  'redirect URIs of another host alone': { redirect_uris: ['https://elsewhere.example/callback'] },
  'no redirect URI': { redirect_uris: [] },
  'a scheme of its own alone': { redirect_uris: ['notes://callback'] },
  'the name of this service': { client_name: 'AUTHY 2' },
  'a name of which nothing is seen': { client_name: '\u3164\u200b' },
  'a key of RSA that is too short': { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [shortKey] } },
  'a name of two lines': { client_name: 'Notes\nby your bank' },
  'no code grant': { grant_types: ['client_credentials'] },
}
for (const [what, changes] of Object.entries(refused))
  test(`a document with ${what} makes no client`, async t => {
    const document = documents.make(changes)
    const answer = await open(await of(document))
    t.is(answer.status, 400)
    t.true(answer.body.includes('invalid_client'), answer.body.slice(0, 300))
    t.is(await rowOf(document), null)
    await open(await of(document))
    t.is(document.asked(), 1, 'it was asked again')
  })

const answers: Readonly<Record<string, Parameters<Document['answer']>[0]>> = {
  'that is not there': { status: 404 },
  'that leads elsewhere': { status: 302, headers: { location: 'https://app1.example.com/' } },
  'of another type': { type: 'text/html' },
  'that is too large': { body: { filler: 'x'.repeat(6000) } },
  'that is no JSON': { body: '{' },
  'that is no object': { body: '[]' },
  'behind a server that hangs up': { isBroken: true },
  'behind a server that fails': { status: 500 },
}
for (const [what, answer] of Object.entries(answers))
  test(`a document ${what} makes no client`, async t => {
    const document = documents.make()
    document.answer(answer)
    const page = await open(await of(document))
    t.is(page.status, 400)
    t.is(await rowOf(document), null)
  })

test('a redirect URI with another port, a wildcard, user information or a fragment is not of the document’s origin', async t => {
  const document = documents.make()
  const { host } = new URL(document.origin)
  document.say({ redirect_uris: [`https://${host}:8443/cb`, `https://*.${host}/cb`, `https://x@${host}/cb`, `${document.origin}/cb#x`, `http://${host}/cb`] })
  t.is((await open(await of(document))).status, 400)
  t.is(await rowOf(document), null)
})

test('a redirect URI of this service is none of the document’s', async t => {
  const document = documents.make({ redirect_uris: [`${server.issuer}/account`] })
  t.is((await open(await of(document))).status, 400)
  t.is(await rowOf(document), null)
})

test('who leads us to too many new addresses is told to wait, and nobody is asked', async t => {
  const { origin } = documents.make()
  const last = documents.make()
  const person = stranger()
  const ask = (clientId: string) => {
    const url = new URL(`${server.issuer}/oauth2/authorize`)
    url.search = new URLSearchParams({ client_id: clientId, response_type: 'code', redirect_uri: `${origin}/callback` }).toString()
    return person.get(url)
  }
  for (let number = 0; number < 20; number += 1) t.is((await ask(`${origin}/${number}.json`)).status, 400)
  const { status, headers } = await ask(last.id)
  t.is(status, 429)
  const seconds = Number(headers.get('retry-after'))
  t.true(seconds > 500 && seconds <= 600, `${seconds}`)
  t.is(last.asked(), 0)
  t.is((await open(await of(last))).status, 303, 'others are not held up')
})

test.serial('while as many new clients wait for their first user as may, one more is told to come again', async t => {
  const { pool, prisma } = server.resources.database
  await pool.query(
    `INSERT INTO clients (id, client_id, name, source, token_endpoint_auth_method, updated_at)
     SELECT gen_random_uuid(), 'https://many.example/' || number, '', 'document', 'none', now() FROM generate_series(1, 5000) number`,
  )
  const document = documents.make()
  const page = await open(await of(document))
  const pushed = await fetch(`${server.issuer}/oauth2/par`, { method: 'POST', body: new URLSearchParams({ client_id: document.id, response_type: 'code' }) })
  await prisma.client.deleteMany({ where: { clientId: { startsWith: 'https://many.example/' } } })
  t.is(page.status, 503)
  t.is(((await pushed.json()) as { error: string }).error, 'temporarily_unavailable')
  t.is(pushed.headers.get('retry-after'), '600')
  t.is((await open(await of(document))).status, 303)
})

test('identifiers that are no address of a document, and hosts that are denied or ours, are asked for nothing', async t => {
  const { id, origin } = documents.make()
  const strange = [
    `${id}?x=1`,
    `${id}#x`,
    `${origin}/`,
    origin,
    id.replace('https', 'http'),
    id.replace('/oauth', '/./oauth'),
    id.replace('/oauth', '/x/%2e%2e/oauth'),
  ]
  const ours = `https://${new URL(server.issuer).hostname}/client.json`
  const elsewhere = [
    'https://127.0.0.1/client.json',
    'https://[::1]/client.json',
    'https://user@app1.example.com/c.json',
    'https://a.evil.example/c.json',
    ours,
    denied.id,
  ]
  for (const clientId of [...strange, ...elsewhere]) {
    const url = new URL(`${server.issuer}/oauth2/authorize`)
    url.search = new URLSearchParams({ client_id: clientId, response_type: 'code', redirect_uri: `${origin}/callback` }).toString()
    const answer = await stranger().get(url)
    t.is(answer.status, 400, clientId)
    t.is(answer.location, undefined)
  }
  t.is(denied.asked(), 0)
})

test('only an authorization request meets a new client', async t => {
  const document = documents.make()
  const response = await fetch(`${server.issuer}/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'none', client_id: document.id }),
  })
  t.is(((await response.json()) as { error: string }).error, 'invalid_client')
  t.is(document.asked(), 0)
})

test('a document that changes is followed; what it does not allow any more is refused', async t => {
  const document = documents.make()
  const app = await of(document)
  await app.signIn()
  document.say({ client_name: 'Renamed', redirect_uris: [`${document.origin}/elsewhere`] })
  await age(document)
  const answer = await open(app)
  t.is(answer.status, 400)
  t.true(answer.body.includes('redirect_uri'))
  t.is((await rowOf(document))?.name, 'Renamed')
  const { rows } = await eventsOf(document)
  for (const name of ['client.registered', 'client.updated', 'consent.granted'])
    t.true(
      rows.some(row => row.name === name),
      name,
    )
})

test('while its server fails a client goes on for a day, and no longer', async t => {
  const document = documents.make()
  const app = await of(document)
  const { tokens } = await app.signIn()
  document.answer({ status: 503 })
  await age(document)
  const refreshed = await client.refreshTokenGrant(app.configuration, tokens.refresh_token ?? '')
  t.is(document.asked(), 2)
  await age(document, { days: 1 })
  const { error } = (await t.throwsAsync<client.ResponseBodyError>(client.refreshTokenGrant(app.configuration, refreshed.refresh_token ?? ''))) ?? {}
  t.is(error, 'invalid_client')
  document.say()
  await age(document)
  t.truthy((await client.refreshTokenGrant(app.configuration, refreshed.refresh_token ?? '')).access_token)
})

test('a document that is gone ends what its client may do, at once and everywhere, until it is back', async t => {
  const document = documents.make()
  const app = await of(document)
  const { tokens } = await app.signIn()
  document.answer({ status: 410 })
  await age(document)
  await t.throwsAsync(client.refreshTokenGrant(app.configuration, tokens.refresh_token ?? ''))
  await t.throwsAsync(client.fetchUserInfo(app.configuration, tokens.access_token, tokens.claims()?.sub ?? ''))
  t.true((await eventsOf(document)).rows.some(row => row.name === 'client.document_refused'))
  document.say()
  await age(document)
  t.truthy((await client.refreshTokenGrant(app.configuration, tokens.refresh_token ?? '')).access_token)
})

test('a client that an administrator disabled or deleted stays so, whatever its document says', async t => {
  for (const what of ['disabledAt', 'deletedAt'] as const) {
    const document = documents.make()
    const app = await of(document)
    await app.signIn()
    await server.resources.database.prisma.client.update({ where: { clientId: document.id }, data: { [what]: new Date(), version: { increment: 1 } } })
    await age(document)
    t.is((await open(app)).status, 400, what)
    t.is(document.asked(), 1)
  }
})

test('one that is made the operator’s own in the database is still asked for consent', async t => {
  const document = documents.make()
  const app = await of(document)
  await app.signIn()
  await server.resources.database.prisma.client.update({ where: { clientId: document.id }, data: { firstParty: true, version: { increment: 1 } } })
  await age(document)
  const { page } = await app.toConsent()
  t.true(page.body.includes('name="decision"'))
})

test('a client that nobody let in is forgotten, one that somebody did is kept', async t => {
  const [used, unused] = [documents.make(), documents.make()]
  await (await of(used)).signIn()
  await open(await of(unused))
  for (const document of [used, unused]) await age(document, { days: 3 })
  const { purgeUnusedClients } = await import('../../src/clients/unused.ts')
  await purgeUnusedClients(server.resources.database, 100)
  t.truthy(await rowOf(used))
  t.is(await rowOf(unused), null)
})

test('a client with keys of its own authenticates by them', async t => {
  const { publicKey, privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', publicKey)
  const keys = [{ kty, crv, x, y, kid: 'one', alg: 'ES256', use: 'sig' }]
  const document = documents.make({ token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES256', jwks: { keys } })
  const app = await makeDocumentClient(server, document, { auth: client.PrivateKeyJwt({ key: privateKey, kid: 'one' }) })
  const { tokens } = await app.signIn()
  t.truthy(tokens.access_token)
  const open = await makeDocumentClient(server, document)
  await t.throwsAsync(client.refreshTokenGrant(open.configuration, tokens.refresh_token ?? ''))
})

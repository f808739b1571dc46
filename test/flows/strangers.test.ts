// What somebody who had not built it stumbled over, each once.
import test from 'ava'
import * as client from 'openid-client'
import { makeClient } from '../support/clients.ts'
import { createPerson } from '../support/person.ts'
import { alice, bob, createRelyingParty, redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

test('a client that registers without a name can be used', async t => {
  const token = await new (server.app.protocol.engine.current().InitialAccessToken)().save()
  const response = await fetch(`${server.issuer}/oauth2/register`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ redirect_uris: ['https://app.example.com/cb'] }),
  })
  t.is(response.status, 201)
  const { client_id: clientId } = Object(await response.json())
  const answer = await createPerson().get(
    `${server.issuer}/oauth2/authorize?client_id=${clientId}&response_type=code&scope=openid&code_challenge=${'a'.repeat(43)}&code_challenge_method=S256&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb`,
  )
  t.is(answer.status, 303)
  t.true(answer.location?.pathname.startsWith('/interaction/'))
})

test('a service is given no scope that no resource knows', async t => {
  const { configuration } = await createRelyingParty(server.issuer, { clientId: 'acme-service-001', secret: 'acme_secret_service_2024' })
  const { access_token: token, scope } = await client.clientCredentialsGrant(configuration, { scope: 'admin openid users:delete' })
  t.is(scope, undefined)
  t.is((await client.tokenIntrospection(configuration, token)).scope, undefined)
})

for (const [title, claims] of [
  ['an essential acr', { id_token: { acr: { essential: true, values: ['urn:example:gold'] } } }],
  ['another subject', { id_token: { sub: { value: 'somebody-else' } } }],
] as const)
  test(`a sign-in that cannot give ${title} goes back to the client instead of round in circles`, async t => {
    const { request } = await createRelyingParty(server.issuer)
    const back = await createPerson().authorize((await request({ claims: JSON.stringify(claims) })).url, { ...bob, redirectUri })
    t.is(back.searchParams.get('error'), 'unmet_authentication_requirements')
  })

test('consent that is asked again shows what is asked', async t => {
  const { clientId, secret } = await makeClient(server, {})
  const { request, signIn } = await createRelyingParty(server.issuer, { clientId, secret })
  const { person } = await signIn({ who: alice })
  const page = await person.follow(await person.get((await request({ prompt: 'consent' })).url), redirectUri)
  t.true(page.body.includes('See your email address'))
})

test('whoever stays signed in is not told that they are signed out', async t => {
  const { signIn } = await createRelyingParty(server.issuer)
  const { person } = await signIn({ who: alice })
  const confirm = new URL('/oauth2/logout/confirm', server.issuer)
  const stayed = await person.follow(await person.post(confirm, { xsrf: await askedXsrf(person) }), redirectUri)
  t.true(stayed.body.includes('You are still signed in'))
  const left = await person.follow(await person.post(confirm, { xsrf: await askedXsrf(person), logout: 'yes' }), redirectUri)
  t.true(left.body.includes('You are signed out'))
})

const askedXsrf = async (person: ReturnType<typeof createPerson>) =>
  /name="xsrf" value="([^"]+)"/.exec((await person.get(`${server.issuer}/oauth2/logout`)).body)?.[1] ?? ''

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

test('prompt=select_account lets a signed-in person choose another account', async t => {
  const { configuration, request, signIn } = await createRelyingParty(server.issuer)
  const { person, tokens } = await signIn({ who: alice })
  const again = await request({ prompt: 'select_account' })
  const page = await person.follow(await person.get(again.url), redirectUri)
  t.true(page.body.includes('name="username"'))
  const back = await person.authorize(page.url, { ...alice, redirectUri })
  const chosen = await client.authorizationCodeGrant(configuration, back, again.checks)
  t.is(chosen.claims()?.sub, tokens.claims()?.sub)
})

test('guessing a client secret ends after a hundred failures, for right and wrong alike', async t => {
  const { clientId, secret } = await makeClient(server, { grantTypes: ['client_credentials'], redirectUris: [] })
  const attempt = async (guess: string) =>
    (
      await fetch(`${server.issuer}/oauth2/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`${clientId}:${guess}`)}` },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      })
    ).status
  t.is(await attempt(secret), 200)
  const statuses = await Promise.all(Array.from({ length: 100 }, () => attempt('wrong')))
  t.true(statuses.every(status => status === 401))
  t.is(await attempt('wrong'), 429)
  t.is(await attempt(secret), 429)
})

test('the page that posts a form on is one of ours', async t => {
  const { body } = await createPerson().get(`${server.issuer}/oauth2/logout`)
  t.true(body.includes('<html lang="en"') && body.includes('rel="stylesheet"') && body.includes('<h1>'))
})

// What a person lets a client know: asked, remembered, refused, and told to nobody else.
import test from 'ava'
import * as client from 'openid-client'
import { makeClient, type TestClient } from '../support/clients.ts'
import { type Answer, createPerson, type Person } from '../support/person.ts'
import { alice, bob, redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const isConsent = (answer: Answer) => answer.body.includes('name="decision"')
const visit = async ({ request }: TestClient, { person, parameters = {} }: { person: Person; parameters?: Record<string, string> }) => {
  const made = await request(parameters)
  return { ...made, answer: await person.follow(await person.get(made.url), redirectUri) }
}
/** Signs somebody in, up to what is asked after that. */
const signedIn = async (relyingParty: TestClient, { who = bob, parameters = {} }: { who?: typeof bob; parameters?: Record<string, string> } = {}) => {
  const person = createPerson()
  const { answer, ...made } = await visit(relyingParty, { person, parameters })
  const password = await person.follow(await person.submit(answer, { username: who.email }), redirectUri)
  return { ...made, person, answer: await person.follow(await person.submit(password, { password: who.password }), redirectUri) }
}
const errorOf = ({ answer }: { answer: Answer }) => answer.location?.searchParams.get('error')

test('a first-party client is given what it asks for without a question', async t => {
  const { answer } = await signedIn(await makeClient(server))
  t.truthy(answer.location?.searchParams.get('code'))
})

test('another client is given it after consent, which is remembered in every browser, and asked again for more', async t => {
  const shop = await makeClient(server, { isFirstParty: false })
  const scope = { scope: 'openid email' }
  const first = await signedIn(shop, { parameters: scope })
  t.true(isConsent(first.answer))
  t.is(errorOf(await visit(shop, { person: first.person, parameters: { ...scope, prompt: 'none' } })), 'consent_required')
  const back = await first.person.follow(await first.person.submit(first.answer, { decision: 'allow' }), redirectUri)
  t.truthy(await client.authorizationCodeGrant(shop.configuration, back.location as URL, first.checks))

  t.truthy((await visit(shop, { person: first.person, parameters: { ...scope, prompt: 'none' } })).answer.location?.searchParams.get('code'))
  const { person, answer } = await signedIn(shop, { parameters: scope })
  t.truthy(answer.location?.searchParams.get('code'))
  t.truthy((await visit(shop, { person, parameters: { scope: 'openid' } })).answer.location?.searchParams.get('code'))

  const more = await visit(shop, { person, parameters: { scope: 'openid email profile' } })
  t.true(isConsent(more.answer))
  t.is(errorOf(await visit(shop, { person, parameters: { scope: 'openid email profile', prompt: 'none' } })), 'consent_required')
})

test('the consent of one person is not that of another', async t => {
  const shop = await makeClient(server, { isFirstParty: false })
  await shop.signIn()
  t.true(isConsent((await signedIn(shop, { who: alice })).answer))
})

test('prompt=consent asks again', async t => {
  const shop = await makeClient(server, { isFirstParty: false })
  const { person } = await shop.signIn()
  const { answer } = await visit(shop, { person, parameters: { prompt: 'consent' } })
  t.true(isConsent(answer))
})

test('a person who denies goes back with access_denied, and nothing is remembered', async t => {
  const shop = await makeClient(server, { isFirstParty: false })
  const { person, answer } = await signedIn(shop)
  const back = await person.follow(await person.submit(answer, { decision: 'deny' }), redirectUri)
  t.is(back.location?.searchParams.get('error'), 'access_denied')
  t.true(isConsent((await visit(shop, { person })).answer))
})

test('consent without the token of its form is refused', async t => {
  const shop = await makeClient(server, { isFirstParty: false })
  const { person, answer } = await signedIn(shop)
  const refused = await person.post(new URL(`${answer.url.pathname}/consent`, answer.url), { csrf: 'forged', decision: 'allow' })
  t.is(refused.status, 403)
  t.true(isConsent((await visit(shop, { person })).answer))
})

test('«use another account» lets somebody else sign in, and it is they who are told of', async t => {
  const shop = await makeClient(server, { isFirstParty: false })
  const { person, answer, checks } = await signedIn(shop)
  let page = await person.follow(await person.press(answer, '/switch"'), redirectUri)
  page = await person.follow(await person.submit(page, { username: alice.email }), redirectUri)
  page = await person.follow(await person.submit(page, { password: alice.password }), redirectUri)
  if (page.body.includes('name="xsrf"')) page = await person.follow(await person.press(page, 'name="xsrf"'), redirectUri)
  t.true(isConsent(page))
  const back = await person.follow(await person.submit(page, { decision: 'allow' }), redirectUri)
  const tokens = await client.authorizationCodeGrant(shop.configuration, back.location as URL, checks)
  const told = await client.fetchUserInfo(shop.configuration, tokens.access_token, tokens.claims()?.sub ?? '')
  t.is(told.email, alice.email)
})

test('the claims parameter puts single claims into the ID token and userinfo', async t => {
  const relyingParty = await makeClient(server)
  const claims = JSON.stringify({ id_token: { email: { essential: true } }, userinfo: { name: null } })
  const { tokens } = await relyingParty.signIn({ parameters: { scope: 'openid', claims } })
  const told = await client.fetchUserInfo(relyingParty.configuration, tokens.access_token, tokens.claims()?.sub ?? '')
  t.is(tokens.claims()?.email, bob.email)
  t.is(tokens.claims()?.name, undefined)
  t.is(told.name, 'Bob Member')
  t.is(told.email, undefined)
})

test('a claims parameter that is no JSON, or asks for another subject, is refused', async t => {
  const relyingParty = await makeClient(server)
  const { person } = await relyingParty.signIn()
  t.is(errorOf(await visit(relyingParty, { person, parameters: { claims: '{', prompt: 'none' } })), 'invalid_request')
  const claims = JSON.stringify({ id_token: { sub: { value: 'somebody-else' } } })
  t.is(errorOf(await visit(relyingParty, { person, parameters: { claims, prompt: 'none' } })), 'login_required')
})

// What a person is asked, and when: the prompts of OpenID Connect Core §3.1.2.1.
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import * as client from 'openid-client'
import { makeClient, type TestClient } from '../support/clients.ts'
import { type Answer, createPerson, type Person } from '../support/person.ts'
import { alice, bob, redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let portal: TestClient
test.before(async () => {
  server = await startServer()
  portal = await makeClient(server)
})
test.after.always(() => server?.close())

const ask = async (person: Person, parameters: Record<string, string>, relyingParty = portal) => {
  const made = await relyingParty.request(parameters)
  const answer = await person.follow(await person.get(made.url), redirectUri)
  const redeem = async (back: Answer | URL) =>
    (await client.authorizationCodeGrant(relyingParty.configuration, 'body' in back ? (back.location as URL) : back, made.checks)).claims()
  return { ...made, answer, redeem, error: answer.location?.searchParams.get('error') }
}
const isPage = (answer: Answer, name: 'username' | 'password') => answer.body.includes(`name="${name}"`)

test('a person who is signed in is not asked again, with or without prompt=none', async t => {
  const { person, tokens } = await portal.signIn()
  const other = await makeClient(server)
  for (const parameters of [{}, { prompt: 'none' }]) {
    const { answer, redeem } = await ask(person, parameters as Record<string, string>, other)
    t.is((await redeem(answer))?.auth_time, tokens.claims()?.auth_time)
  }
})

test('prompt=login asks again, and the sign-in is a new one', async t => {
  const { person, tokens } = await portal.signIn()
  await sleep(1100)
  const { answer, url, redeem } = await ask(person, { prompt: 'login' })
  t.true(isPage(answer, 'username'))
  const again = await redeem(await person.authorize(url, { ...bob, redirectUri }))
  t.is(again?.sub, tokens.claims()?.sub)
  t.true(Number(again?.auth_time) > Number(tokens.claims()?.auth_time))
})

test('max_age asks again when the sign-in is older, and not before', async t => {
  const { person, tokens } = await portal.signIn()
  const young = await ask(person, { max_age: '600' })
  t.is((await young.redeem(young.answer))?.auth_time, tokens.claims()?.auth_time)
  await sleep(2100)
  t.true(isPage((await ask(person, { max_age: '1' })).answer, 'username'))
  t.is((await ask(person, { max_age: '1', prompt: 'none' })).error, 'login_required')
})

test('an id_token_hint of somebody else is not answered with this person', async t => {
  const { person, tokens } = await portal.signIn()
  const hinted = await ask(person, { id_token_hint: tokens.id_token ?? '', prompt: 'none' })
  t.truthy(await hinted.redeem(hinted.answer))
  const other = await portal.signIn({ who: alice })
  t.is((await ask(person, { id_token_hint: other.tokens.id_token ?? '', prompt: 'none' })).error, 'login_required')
  t.is((await ask(person, { id_token_hint: 'no.id.token', prompt: 'none' })).error, 'invalid_request')
})

test('who signs in as somebody other than the id_token_hint names is answered with an error, and who it names with a code', async t => {
  const { tokens } = await portal.signIn({ who: alice })
  const hint = tokens.id_token ?? ''
  const browsers = [createPerson(), (await portal.signIn()).person]
  for (const person of browsers) {
    const { answer } = await ask(person, { id_token_hint: hint })
    t.true(isPage(answer, 'username'))
    t.is((await answerAs(person, answer, bob)).location?.searchParams.get('error'), 'unmet_authentication_requirements')
    const { answer: again, redeem } = await ask(person, { id_token_hint: hint })
    t.is((await redeem(await answerAs(person, again, alice)))?.sub, tokens.claims()?.sub)
  }
})

test('a login_hint fills the identifier in', async t => {
  const { answer } = await ask(createPerson(), { login_hint: 'someone@acme-corp.com' })
  t.regex(answer.body, /<input[^>]*name="username"[^>]*value="someone@acme-corp\.com"/)
})

test('whoever is asked to sign in again finds their address there, and another one a click away', async t => {
  const { person } = await portal.signIn()
  await sleep(2100)
  for (const parameters of [{ prompt: 'login' }, { max_age: '1' }] as Record<string, string>[]) {
    const { answer } = await ask(person, parameters)
    t.regex(answer.body, new RegExp(`<input[^>]*name="username"[^>]*value="${bob.email}"`))
    const change = /<a href="([^"]+)"[^>]*>Change/.exec(answer.body)?.[1] ?? ''
    t.regex(answer.body, /Not you\?/)
    const changed = await person.get(new URL(change, answer.url))
    t.true(isPage(changed, 'username'))
    t.false(changed.body.includes(bob.email))
  }
  const hinted = await ask(person, { prompt: 'login', login_hint: alice.email })
  t.true(hinted.answer.body.includes(alice.email) && !hinted.answer.body.includes(bob.email))
})

test('whoever chooses an account, or is asked for as somebody else, finds no address there', async t => {
  const { person } = await portal.signIn()
  t.false((await ask(person, { prompt: 'select_account' })).answer.body.includes(bob.email))
  const other = await portal.signIn({ who: alice })
  t.false((await ask(person, { id_token_hint: other.tokens.id_token ?? '' })).answer.body.includes(bob.email))
})

test('a wrong password and an unknown person are told in the same words, with 401', async t => {
  const told = async (username: string) => {
    const person = createPerson()
    const { answer } = await ask(person, {})
    const page = await person.follow(await person.submit(answer, { username }), redirectUri)
    const refused = await person.submit(page, { password: 'not the password' })
    t.is(refused.status, 401)
    t.true(isPage(refused, 'password'))
    return wordsOf(refused).replaceAll(username, 'somebody')
  }
  t.is(await told('bob@acme-corp.com'), await told('nobody@acme-corp.com'))
})

test('a person who cancels goes back to the client with access_denied', async t => {
  const person = createPerson()
  const { answer } = await ask(person, { state: 'kept' })
  const back = await person.follow(await person.press(answer, '/cancel"'), redirectUri)
  t.is(back.location?.searchParams.get('error'), 'access_denied')
  t.is(back.location?.searchParams.get('state'), 'kept')
  t.is(back.location?.searchParams.get('iss'), server.issuer)
})

test('only who was asked for something refuses it: leaving a sign-in is no event', async t => {
  const shop = await makeClient(server, { isFirstParty: false })
  const events = () =>
    server.resources.database.prisma.auditEvent.findMany({ where: { action: 'consent.refused', target: { path: ['client_id'], equals: shop.clientId } } })
  const leave = async (person: Person, page: Answer) => {
    const back = await person.follow(await person.press(page, '/cancel"'), redirectUri)
    t.is(back.location?.searchParams.get('error'), 'access_denied')
  }
  const person = createPerson()
  const { answer } = await ask(person, {}, shop)
  await leave(person, answer)
  const again = await ask(person, {}, shop)
  const password = await person.follow(await person.submit(again.answer, { username: bob.email }), redirectUri)
  await leave(person, password)
  t.deepEqual(await events(), [])
  const { person: known } = await portal.signIn()
  const asked = await ask(known, {}, shop)
  const back = await known.follow(await known.submit(asked.answer, { decision: 'deny' }), redirectUri)
  t.is(back.location?.searchParams.get('error'), 'access_denied')
  await leave(known, await known.follow(await known.press((await ask(known, {}, shop)).answer, '/switch"'), redirectUri))
  t.deepEqual(
    (await events()).map(({ actorKind, outcome }) => [actorKind, outcome]),
    [
      ['user', 'refused'],
      ['user', 'refused'],
    ],
  )
})

test('clients that authorize at the same moment in one browser, in two tabs each, all get what they asked for', async t => {
  const { person } = await portal.signIn()
  const clients = (await Promise.all([1, 2, 3].map(() => makeClient(server)))).flatMap(each => [each, each])
  const answers = await Promise.all(clients.map(relyingParty => ask(person, {}, relyingParty)))
  const tokens = await Promise.all(
    answers.map(({ answer, checks }, index) => client.authorizationCodeGrant((clients[index] as TestClient).configuration, answer.location as URL, checks)),
  )
  const told = await Promise.all(
    tokens.map(({ access_token, claims }, index) => client.fetchUserInfo((clients[index] as TestClient).configuration, access_token, claims()?.sub ?? '')),
  )
  t.deepEqual([...new Set(told.map(({ email }) => email))], [bob.email])
})

test('two tabs of one browser that sign in side by side both come back signed in', async t => {
  const person = createPerson()
  const tabs = await Promise.all([ask(person, {}), ask(person, {})])
  for (const { answer, redeem } of tabs) {
    const page = await person.follow(await person.submit(answer, { username: bob.email }), redirectUri)
    const back = await person.follow(await person.submit(page, { password: bob.password }), redirectUri)
    t.truthy(await redeem(back))
  }
})

const answerAs = async (person: Person, answer: Answer, who: typeof bob) => {
  const page = await person.follow(await person.submit(answer, { username: who.email }), redirectUri)
  const back = await person.follow(await person.submit(page, { password: who.password }), redirectUri)
  // One session holds one account: the page in between signs the other out.
  return back.location ? back : person.follow(await person.press(back, 'xsrf'), redirectUri)
}

const wordsOf = (answer: Answer) => answer.body.replace(/<(style|head).*?<\/\1>|<[^>]+>/gs, ' ').replace(/\s+/g, ' ')

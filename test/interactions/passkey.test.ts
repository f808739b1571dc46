// Signing in by passkey over real HTTP: options for the page's script, the assertion in a form, what the client is told; and that who is
// refused, by passkey or password, learns nothing from the page: neither whether the account exists, nor by another status.

import { randomUUID } from 'node:crypto'
import test from 'ava'
import * as client from 'openid-client'
import type { RequestOptions } from '../../src/mfa/passkey.ts'
import { makeClient } from '../support/clients.ts'
import { makeHolder } from '../support/passkeys.ts'
import { type Answer, createPerson, type Person } from '../support/person.ts'
import { bob, createRelyingParty, redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { toPassword } from '../support/sign-in-pages.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

/** A browser at the first page of a sign-in. */
const atFirstPage = async () => {
  const portal = await makeClient(server)
  const person = createPerson()
  const made = await portal.request()
  const page = await person.follow(await person.get(made.url), redirectUri)
  return { portal, person, made, page, csrf: /name="csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? '' }
}

const optionsFor = async (person: Person, page: Answer, csrf: string): Promise<RequestOptions> => {
  const answer = await person.post(new URL(`${page.url.pathname}/passkey/options`, page.url), { csrf })
  return JSON.parse(answer.body)
}

const send = (person: Person, page: Answer, form: Record<string, string>) => person.post(new URL(`${page.url.pathname}/passkey`, page.url), form)

test('the first page offers passkeys to its script, and says that they need one', async t => {
  const { page } = await atFirstPage()
  t.regex(page.body, /autocomplete="username webauthn"/)
  t.regex(page.body, /<form [^>]*data-passkey="\/interaction\/[^"]+\/passkey\/options" hidden>/)
  t.regex(page.body, /<noscript><p class="aside">[^<]*JavaScript/)
  t.regex(String(page.headers.get('permissions-policy')), /publickey-credentials-get=\(self\), publickey-credentials-create=\(self\)/)
})

test('a person signs in by passkey, and the client is told how', async t => {
  const holder = await makeHolder(server)
  const { portal, person, made, page, csrf } = await atFirstPage()
  const response = holder.authenticator.get(await optionsFor(person, page, csrf))
  const proven = await send(person, page, { csrf, response: JSON.stringify(response) })
  t.is(proven.status, 303)
  const back = await person.follow(proven, redirectUri)
  const tokens = await client.authorizationCodeGrant(portal.configuration, back.location ?? back.url, made.checks)
  t.like(tokens.claims(), { sub: holder.user.id, amr: ['hwk', 'user', 'mfa'] })
  const silent = await portal.request({ prompt: 'none' })
  t.truthy((await person.follow(await person.get(silent.url), redirectUri)).location?.searchParams.get('code'))
})

test('a passkey that is not known is told on the page, and to the browser that keeps it', async t => {
  const holder = await makeHolder(server)
  await server.services.passkeys.remove(holder.actor, { user: holder.user, id: holder.passkey.id })
  const { person, page, csrf } = await atFirstPage()
  const response = holder.authenticator.get(await optionsFor(person, page, csrf))
  const answer = await send(person, page, { csrf, response: JSON.stringify(response) })
  t.is(answer.status, 401)
  t.regex(answer.body, /role="alert".*This passkey is not known here/s)
  t.true(answer.body.includes(`data-unknown="${response.id}"`))
})

test('a passkey of somebody who is suspended is refused, and its browser keeps it', async t => {
  const holder = await makeHolder(server)
  await server.services.userAdministration.suspend(holder.actor, holder.user.id)
  const { person, page, csrf } = await atFirstPage()
  const response = holder.authenticator.get(await optionsFor(person, page, csrf))
  const answer = await send(person, page, { csrf, response: JSON.stringify(response) })
  t.is(answer.status, 401)
  t.regex(answer.body, /role="alert".*This passkey could not be used/s)
  t.false(answer.body.includes('data-unknown'))
})

test('the challenge of one sign-in is nothing for another', async t => {
  const holder = await makeHolder(server)
  const mine = await atFirstPage()
  const theirs = await atFirstPage()
  const response = JSON.stringify(holder.authenticator.get(await optionsFor(mine.person, mine.page, mine.csrf)))
  t.is((await send(theirs.person, theirs.page, { csrf: theirs.csrf, response })).status, 401)
  t.is((await send(mine.person, mine.page, { csrf: mine.csrf, response })).status, 303)
  const gone = await send(createPerson(), mine.page, { csrf: mine.csrf, response })
  t.is(gone.status, 404)
})

const malformed: Readonly<Record<string, string>> = {
  nothing: '',
  'no JSON': '{"id":',
  'a list': '[]',
  null: 'null',
  'an empty object': '{}',
  'a number for an id': '{"id":1,"rawId":1,"type":"public-key","response":{}}',
  'no response': '{"id":"AAAA","rawId":"AAAA","type":"public-key"}',
  'another type': '{"id":"AAAA","rawId":"AAAA","type":"password","response":{"clientDataJSON":"AA","authenticatorData":"AA","signature":"AA"}}',
  'text that is no base64url': '{"id":"A+/=","rawId":"A+/=","type":"public-key","response":{"clientDataJSON":"AA","authenticatorData":"AA","signature":"AA"}}',
  'bytes that mean nothing':
    '{"id":"AAAA","rawId":"AAAA","type":"public-key","response":{"clientDataJSON":"AAAA","authenticatorData":"AAAA","signature":"AAAA"}}',
  'a prototype': '{"__proto__":{"id":"AAAA"},"constructor":1}',
  'too much': `"${'x'.repeat(9000)}"`,
  'too deep': `${'['.repeat(2000)}${']'.repeat(2000)}`,
}

for (const [what, response] of Object.entries(malformed))
  test(`${what} in place of an assertion is refused on the page`, async t => {
    const { person, page, csrf } = await atFirstPage()
    const answer = await send(person, page, { csrf, response })
    t.is(answer.status, 401)
    t.regex(answer.body, /role="alert".*This passkey could not be used/s)
  })

test('neither options nor a sign-in are for forms of other sites', async t => {
  const { person, page, csrf } = await atFirstPage()
  const response = JSON.stringify((await makeHolder(server)).authenticator.get(await optionsFor(person, page, csrf)))
  const options = new URL(`${page.url.pathname}/passkey/options`, page.url)
  for (const [form, headers] of [
    [{ csrf }, { origin: 'https://evil.example' }],
    [{ csrf }, { 'sec-fetch-site': 'cross-site' }],
    [{ csrf: 'x' }, {}],
  ] as const) {
    t.is((await person.post(options, form, headers)).status, 403)
    t.is((await person.post(new URL(`${page.url.pathname}/passkey`, page.url), { ...form, response }, headers)).status, 403)
  }
})

test('browsers and password managers find the pages of an account', async t => {
  const person = createPerson()
  const endpoints = await person.get(`${server.issuer}/.well-known/passkey-endpoints`)
  t.regex(String(endpoints.headers.get('content-type')), /^application\/json/)
  t.deepEqual(JSON.parse(endpoints.body), { enroll: `${server.issuer}/account/passkeys`, manage: `${server.issuer}/account/passkeys` })
  const password = await person.get(`${server.issuer}/.well-known/change-password`)
  t.deepEqual([password.status, password.location?.pathname], [302, '/account/password'])
  t.is((await person.post(new URL('/.well-known/change-password', server.issuer), {})).status, 405)
})

/** Goes as far as the password page. */
const begin = async (email: string) => {
  const person = createPerson()
  const { request } = await createRelyingParty(server.issuer)
  const identifier = await person.follow(await person.get((await request()).url), redirectUri)
  return { person, page: await person.follow(await person.submit(identifier, { username: email }), redirectUri) }
}

const changing = ['date', 'x-request-id', 'content-security-policy', 'content-length', 'set-cookie', 'retry-after']

/** The page without what differs for everybody. */
const bare = (body: string, email: string) =>
  body.replaceAll(email, '').replaceAll(/nonce="[^"]*"|value="[^"]*"|\/interaction\/[\w-]+|[0-9a-f]{8}-[0-9a-f-]{27}/g, '')

test.serial('a wrong password and an unknown account are refused by the same page', async t => {
  const answers = []
  for (const email of [bob.email, 'nobody@acme-corp.com']) {
    const { person, page } = await begin(email)
    const answer = await person.submit(page, { password: 'wrong' })
    const headers = Object.fromEntries([...answer.headers].filter(([name]) => !changing.includes(name)))
    answers.push({ status: answer.status, headers, body: bare(answer.body, email), cookies: answer.headers.getSetCookie().length })
  }
  t.is(answers[0]?.status, 401)
  t.deepEqual(answers[0], answers[1])
})

test.serial('the page of an account closed after ten failures says so with 429 and for how long, known or not', async t => {
  const answers = []
  for (const email of ['alice@acme-corp.com', 'nobody-else@acme-corp.com']) {
    const { person, page } = await begin(email)
    for (let round = 0; round < 10; round += 1) t.is((await person.submit(page, { password: 'wrong' })).status, 401)
    const answer = await person.submit(page, { password: 'OwnerPass123!' })
    t.is(answer.status, 429)
    t.true(Number(answer.headers.get('retry-after')) > 800)
    t.is(answer.location, undefined)
    answers.push(bare(answer.body, email))
  }
  t.is(answers[0], answers[1])
})

/** Signs in on the pages and goes on to the client; answers the last page where it does not come to that. */
const signIn = async (person: Person, { email, password }: { email: string; password: string }) => {
  const { page } = await toPassword(server, email, person)
  const answer = await person.submit(page, { password })
  return answer.location ? person.follow(answer, redirectUri) : answer
}

/** Strangers at the same address guess until none of them is looked at any more. */
const useUpAddress = async () => {
  for (let account = 0; account < 5; account += 1) {
    const { person, page } = await begin(`${randomUUID()}@acme-corp.com`)
    for (let round = 0; round < 9; round += 1) {
      const answer = await person.submit(page, { password: 'wrong' })
      if (answer.status === 429) return answer
    }
  }
  throw new Error('nobody was refused')
}

test.serial('where an address is closed the page and the header say the same time', async t => {
  const { headers, body } = await useUpAddress()
  const seconds = Number(headers.get('retry-after'))
  t.true(seconds > 0 && seconds <= 60, `${seconds}`)
  t.true(body.includes('Try again in a minute.'))
})

test.serial('strangers at the same address do not close it to a browser in which its person signed in, which has ten tries of its own', async t => {
  const [user, other] = [await makeUser(server), await makeUser(server)]
  const known = createPerson()
  await server.resources.database.pool.query('DELETE FROM rate_limits')
  await server.resources.redis?.client.flushdb()
  t.truthy((await signIn(known, user)).location?.searchParams.get('code'))
  for (const name of ['session', 'session.sig']) known.cookies.delete(`${name} /`)
  await useUpAddress()
  t.is((await signIn(createPerson(), user)).status, 429, 'a browser like any other')
  t.is((await signIn(known, other)).status, 429, 'another person in it')
  t.truthy((await signIn(known, user)).location?.searchParams.get('code'))
  for (const name of ['session', 'session.sig']) known.cookies.delete(`${name} /`)
  const statuses = []
  for (let round = 0; round < 12; round += 1) statuses.push((await signIn(known, { ...user, password: 'wrong' })).status)
  t.deepEqual(statuses, [...Array(10).fill(401), 429, 429])
  const closed = await signIn(known, user)
  t.is(closed.status, 429)
  t.is(/Try again in (\d+) minutes/.exec(closed.body)?.[1], String(Math.ceil(Number(closed.headers.get('retry-after')) / 60)))
})

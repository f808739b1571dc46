// Seven classes of people × every way in or back in: bodies, headers, cookies and redirects are the same for all.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { createCalls } from '../support/calls.ts'
import { classes, makeOneOf } from '../support/classes-of-people.ts'
import type { Answer, Person } from '../support/person.ts'
import { createPerson } from '../support/person.ts'

import { startServer, type TestServer } from '../support/server.ts'
import { beginSignIn, toCode, toPassword, toSignUpCode } from '../support/sign-in-pages.ts'

let server: TestServer
test.before(async () => {
  server = await startServer({ settings: { API_REQUESTS_PER_MINUTE: '100000' } })
})
test.after.always(() => server?.close())

const changing = new Set(['date', 'x-request-id', 'content-security-policy', 'set-cookie', 'ratelimit', 'etag', 'content-length'])

/** What a stranger sees, without what is another at every request. */
const seen = ({ status, headers, location, body }: Pick<Answer, 'status' | 'headers' | 'location' | 'body'>, email: string) => ({
  status,
  headers: [...headers].filter(([name]) => !changing.has(name)).map(([name, value]) => `${name}: ${without(value, email)}`),
  cookies: headers.getSetCookie().map(cookie => without(cookie.replace(/=[^;]*/, '='), email).replace(/expires=[^;]*/i, '')),
  location: without(location?.href ?? '', email),
  body: without(body, email),
})

const without = (text: string, email: string) =>
  text.replaceAll(email, '').replaceAll(/nonce="[^"]*"|value="[^"]*"|"request_id":"[^"]*"|\/interaction\/[\w-]+|[0-9a-f]{8}-[0-9a-f-]{27}/g, '')

/** Follows the redirects one by one, and keeps each answer. */
const chain = async (person: Person, first: Answer) => {
  const answers = [first]
  for (let at = first; at.location && answers.length < 8; answers.push(at)) at = await person.get(at.location)
  return answers
}

const ways: Readonly<Record<string, (email: string) => Promise<Answer[]>>> = {
  'signing in by a wrong password': async email => {
    const { person, page } = await beginSignIn(server)
    const asked = await chain(person, await person.submit(page, { username: email }))
    return [...asked, await person.submit(asked.at(-1) ?? page, { password: 'not the password' })]
  },
  'forgotten password': async email => {
    const person = createPerson()
    const form = await person.get(`${server.issuer}/recovery`)
    return chain(person, await person.submit(form, { username: email }))
  },
  'email code, and a wrong one': async email => {
    const { person, page } = await toPassword(server, email)
    const asked = await chain(person, await person.press(page, '/email-code'))
    const form = asked.at(-1) ?? page
    return [...asked, await person.submit(form, { code: '000000' }), await person.press(form, '/code/resend')]
  },
  'sign-up, and a wrong code': async email => {
    const { person, form } = await toSignUpCode(server, { email: `${randomUUID()}@people.example`, password: 'violet umbrella 77' })
    const asked = await chain(person, await person.submit(form, { email, name: 'Ida', password: 'violet umbrella 77' }))
    return [...asked, await person.submit(asked.at(-1) ?? form, { code: '000000' })]
  },
}

for (const [name, go] of Object.entries(ways))
  test.serial(`${name}: a stranger sees the same for all seven classes`, async t => {
    const answers = []
    for (const kind of classes) {
      const email = await makeOneOf(server, kind)
      answers.push((await go(email)).map(answer => seen(answer, email)))
    }
    for (const [index, kind] of classes.entries()) t.deepEqual(answers[index], answers[1], kind)
    t.true((answers[0]?.length ?? 0) > 1)
  })

const operations = [
  { path: '/auth/login', more: { password: 'not the password' }, expected: 401 },
  { path: '/auth/password/forgot', more: {}, expected: 202 },
  { path: '/auth/email/resend', more: {}, expected: 202 },
]

for (const { path, more, expected } of operations)
  test.serial(`POST ${path} answers all seven classes alike`, async t => {
    const calls = createCalls(server.issuer)
    t.teardown(calls.close)
    const answers = []
    for (const kind of classes) {
      const email = await makeOneOf(server, kind)
      const body = JSON.stringify({ email, ...more })
      const { status, headers, body: told } = await calls.call(`/api/v1${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
      const kept = Object.entries(headers).filter(([name]) => !changing.has(name))
      answers.push({ status, headers: kept, cookies: headers['set-cookie'], body: without(told, email) })
    }
    for (const [index, kind] of classes.entries()) t.deepEqual(answers[index], answers[0], kind)
    t.is(answers[0]?.status, expected)
  })

test.serial('asking for a proof takes as many statements for everybody', async t => {
  const { database } = server.resources
  const { proofs } = server.services
  const counts: number[] = []
  for (const kind of classes) {
    const email = await makeOneOf(server, kind)
    const asked: number[] = []
    // Jobs ask for work at moments of their own: of three askings at least one has no statement of theirs in it.
    for (let round = 0; round < 3; round += 1) {
      await new Promise(resolve => setTimeout(resolve, 300))
      const before = database.roundTrips()
      await proofs.ask({ kind: 'anonymous', permissions: new Set(), ip: '192.0.2.1' }, { purpose: 'password_reset', email })
      asked.push(database.roundTrips() - before)
    }
    counts.push(Math.min(...asked))
  }
  t.is(new Set(counts).size, 1, counts.map((count, index) => `${classes[index]} ${count}`).join())
})

test.serial('an attacker who asks too often is told so on the page, with 429 and when to try again', async t => {
  let answer: Answer | undefined
  for (let round = 0; round < 20 && answer?.status !== 429; round += 1) {
    const { person, page } = await toCode(server, `nobody-${round}@people.example`)
    for (let again = 0; again < 4 && answer?.status !== 429; again += 1) answer = await person.press(page, '/code/resend')
  }
  if (!answer) return t.fail()
  t.is(answer.status, 429)
  t.true(Number(answer.headers.get('retry-after')) > 0)
  t.regex(answer.body, /Too many attempts\. Try again in/)
  t.is(answer.location, undefined)
})

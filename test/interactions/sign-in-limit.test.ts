// A refused person learns nothing from the page: neither whether the account exists, nor by another status.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { createPerson, type Person } from '../support/person.ts'
import { bob, createRelyingParty, redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { toPassword } from '../support/sign-in-pages.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

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

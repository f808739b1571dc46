// A refused person learns nothing from the page: neither whether the account exists, nor by another status.
import test from 'ava'
import { createPerson } from '../support/person.ts'
import { bob, createRelyingParty, redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

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

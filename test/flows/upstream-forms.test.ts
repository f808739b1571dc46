// Providers that are asked, and answer, by a form that the browser posts, as those of SAML do: from another site, without our cookies.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import type { Connector } from '../../src/connectors/connector.ts'
import { createPerson } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { beginSignIn } from '../support/sign-in-pages.ts'
import { claimsOf, makeConnection, pressConnection } from '../support/upstream-journeys.ts'
import { createPosting } from '../support/upstreams/posting.ts'

const posting = createPosting('https://idp.example/sso')

let server: TestServer
let connection: string
test.before(async () => {
  server = await startServer()
  ;(server.services.connectors as Map<string, Connector>).set(posting.id, posting)
  connection = (await makeConnection(server, { local: 'https://idp.example', client_id: 'x', client_secret: 'x' }, { connector: posting.id })).id
})
test.after.always(() => server?.close())

const begin = async () => {
  const begun = await beginSignIn(server)
  const page = await pressConnection(begun.person, begun.page, connection)
  return { ...begun, page, state: /name="RelayState" value="([^"]+)"/.exec(page.body)?.[1] ?? '' }
}
const answer = (body: Record<string, string>, person = createPerson()) =>
  person.post(new URL(`/connections/${connection}/callback`, server.issuer), body, { origin: 'https://idp.example', 'sec-fetch-site': 'cross-site' })

test('the page posts by itself, escapes what it posts, and has a button for who has no script', async t => {
  const { page } = await begin()
  t.is(page.status, 200)
  t.regex(page.body, /<form[^>]* action="https:\/\/idp\.example\/sso"[^>]* data-automatic>/)
  t.false(page.body.includes('<script>alert'))
  t.regex(page.body, /<button[^>]*type="submit">Continue</)
  t.is(page.headers.get('cache-control'), 'no-store')
  t.notRegex(page.headers.get('content-security-policy') ?? '', /form-action/)
})

test('the answer comes without our cookies, and the browser that began goes on with it', async t => {
  const { person, state, configuration, checks } = await begin()
  const received = await answer({ SAMLResponse: `${randomUUID()}@people.example`, RelayState: state })
  t.is(received.status, 303)
  t.is(received.headers.getSetCookie().length, 0)
  const end = await person.follow(received, redirectUri)
  const finished = await person.follow(await person.get(received.location ?? ''), redirectUri)
  t.deepEqual((await claimsOf({ configuration, checks, end: end.location ? end : finished })).amr, ['fed'])
})

test('an answer that is posted twice, or says its state twice, is refused', async t => {
  const { state } = await begin()
  const body = { SAMLResponse: 'x', RelayState: state }
  t.is((await answer({ ...body, state })).status, 400)
  t.is((await answer(body)).status, 303)
  t.is((await answer(body)).status, 400)
})

test('what a provider reads of us stands at the connection', async t => {
  const metadata = await createPerson().get(new URL(`/connections/${connection}/metadata`, server.issuer))
  t.is(metadata.status, 200)
  t.is(metadata.headers.get('content-type'), 'application/samlmetadata+xml')
  t.true(metadata.body.includes(`/connections/${connection}/metadata`))
  for (const id of [randomUUID(), 'x']) t.is((await createPerson().get(new URL(`/connections/${id}/metadata`, server.issuer))).status, 404)
})

test('a connection that is disabled still tells its provider of us, so that it can be set up first', async t => {
  const made = { connector: 'posting', name: 'Being set up', settings: {}, disabledAt: new Date() }
  const { id } = await server.resources.database.prisma.connection.create({ data: made })
  const read = async () => (await createPerson().get(new URL(`/connections/${id}/metadata`, server.issuer))).status
  t.is(await read(), 200)
  t.is(await server.services.connections.find(id), undefined)
  await t.throwsAsync(server.services.upstream.begin({ connectionId: id, binding: 'one', returnPath: '/', isAgain: false }), { code: 'connection_gone' })
  await server.resources.database.prisma.connection.update({ where: { id }, data: { deletedAt: new Date() } })
  server.services.connections.forget(id)
  t.is(await read(), 404)
})

// Where no mail can be sent nothing is offered that needs it, and nobody is told more than elsewhere.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { readConfig } from '../../src/config.ts'
import { startText } from '../../src/start-text.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { beginSignIn, beside, toPassword } from '../support/sign-in-pages.ts'

let server: TestServer
test.before(async () => {
  server = await startServer({ isWithoutMail: true })
})
test.after.always(() => server?.close())

const post = (path: string, body: object, headers = {}) =>
  fetch(`${server.issuer}/api/v1${path}`, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } })

test('the pages that need mail are neither linked nor there', async t => {
  t.false((await beginSignIn(server)).page.body.includes('/sign-up'))
  const { person, page } = await toPassword(server, 'bob@acme-corp.com')
  t.false(page.body.includes('Forgot'))
  t.false(page.body.includes('email-code'))
  for (const path of ['sign-up', 'recovery']) t.is((await person.get(beside(page.url, path))).status, 404, path)
  t.is((await person.get(new URL('/recovery', page.url))).status, 404)
  t.is((await person.get(new URL('/dev/mail', page.url))).status, 404)
})

test('the API answers as elsewhere, and no job waits for ever', async t => {
  t.is((await post('/auth/password/forgot', { email: 'bob@acme-corp.com' })).status, 202)
  t.is((await post('/auth/email/resend', { email: 'bob@acme-corp.com' })).status, 202)
  t.is((await post('/auth/register', { email: `${randomUUID()}@people.example`, password: 'violet umbrella 77', full_name: 'Ida' })).status, 201)
  for (const userAgent of ['papertrail/1.0', 'stapler/1.0'])
    t.is((await post('/auth/login', { email: 'bob@acme-corp.com', password: 'UserPass123!' }, { 'user-agent': userAgent })).status, 200)
  const { rows } = await server.resources.database.pool.query('SELECT count(*)::int AS waiting FROM jobs')
  t.is(rows[0].waiting, 0)
})

test('what is done by mail alone is refused in a sentence', async t => {
  const { data } = (await (await post('/auth/login', { email: 'alice@acme-corp.com', password: 'OwnerPass123!' })).json()) as { data: { token: string } }
  const acme = await server.services.organizations.findBySlug('acme-corp')
  const headers = { authorization: `Bearer ${data.token}` }
  for (const [path, body] of [
    [`/organizations/${acme?.id}/invitations`, { email: 'new@people.example', role: 'member' }],
    ['/users/me/email', { email: 'new@people.example' }],
  ] as const) {
    const refused = await post(path, body, headers)
    t.is(refused.status, 409, path)
    t.regex(await refused.text(), /SMTP_URL/)
  }
})

test('the start says where mail goes, without the password of the mail server', t => {
  const told = (settings: Record<string, string>) => startText(readConfig(settings), { milliseconds: 1, applied: [], isLocal: false })
  t.regex(told({}), /Mail {8}kept for reading at http:\/\/localhost:3000\/dev\/mail/)
  const withServer = told({ SMTP_URL: 'smtp://user:hunter2@mail.example.com:587' })
  t.regex(withServer, /Mail {8}by mail\.example\.com:587/)
  t.false(withServer.includes('hunter2'))
})

// Names: one line, in one Unicode form, with nothing that turns the words around them, wherever they come in.
import test from 'ava'
import { makeAdmin, password, startApi, type TestApi } from '../support/api.ts'
import { beginSignIn, beside } from '../support/sign-in-pages.ts'

let api: TestApi
let admin: string
let token: string
let organization: string
let client: string
test.before(async () => {
  api = await startApi()
  admin = await makeAdmin(api)
  token = (await api.signIn()).token
  organization = (await api.ask('POST /organizations', { token, body: { name: 'Names' } })).data.id
  client = (await api.ask('POST /clients', { token: admin, body: { name: 'One', redirect_uris: ['https://one.example/cb'] } })).data.client.id
})
test.after.always(() => api?.close())

const broken = [
  'Ada\r\nBcc: all@people.example',
  'a\tb',
  'a\u0085b',
  'a\u2028b',
  'a\u2029b',
  'Ada \u202eevil',
  'a\u2066b\u2069',
  'a\u007fb',
  '\u202a',
  '  ',
  '',
]
const links = ['Win at https://evil.example', 'www.evil.example', 'See WWW.evil.example now', 'ftp://evil']
let count = 0
const email = () => `name-${count++}@people.example`

/** Every body that names something: what is asked with the name, the field that is told, whether mails carry it to strangers. */
const places: Readonly<Record<string, { ask: (name: string) => Promise<{ status: number; error: unknown; data: unknown }>; path: string; isMailed: boolean }>> =
  {
    oneself: { ask: name => api.ask('PATCH /users/me', { token, body: { full_name: name } }), path: 'full_name', isMailed: true },
    'who registers': {
      ask: name => api.ask('POST /auth/register', { body: { email: email(), password, full_name: name } }),
      path: 'full_name',
      isMailed: true,
    },
    'a new user': { ask: name => api.ask('POST /users', { token: admin, body: { email: email(), full_name: name } }), path: 'full_name', isMailed: true },
    'an organization': { ask: name => api.ask('POST /organizations', { token, body: { name } }), path: 'name', isMailed: true },
    'a changed organization': { ask: name => api.ask(`PATCH /organizations/${organization}`, { token, body: { name } }), path: 'name', isMailed: true },
    'a role': { ask: name => api.ask(`POST /organizations/${organization}/roles`, { token, body: { name, permissions: [] } }), path: 'name', isMailed: true },
    'a client': {
      ask: name => api.ask('POST /clients', { token: admin, body: { name, redirect_uris: ['https://one.example/cb'] } }),
      path: 'name',
      isMailed: false,
    },
    'a changed client': { ask: name => api.ask(`PATCH /clients/${client}`, { token: admin, body: { name } }), path: 'name', isMailed: false },
    'a branding': {
      ask: name => api.ask(`PATCH /clients/${client}`, { token: admin, body: { branding: { name } } }),
      path: 'branding.name',
      isMailed: false,
    },
    'a connection': {
      ask: name =>
        api.ask('POST /connections', { token: admin, body: { connector: 'github', name, settings: { client_id: 'a' }, secrets: { client_secret: 'b' } } }),
      path: 'name',
      isMailed: false,
    },
    'an API key': { ask: name => api.ask('POST /api-keys', { token: admin, body: { name, permissions: ['users:read'] } }), path: 'name', isMailed: false },
    'a factor': { ask: name => api.ask('POST /users/me/factors', { token, body: { kind: 'totp', name } }), path: 'name', isMailed: false },
  }

for (const [what, { ask, path, isMailed }] of Object.entries(places)) {
  test(`the name of ${what} is one line that hides nothing`, async t => {
    for (const name of [...broken, ...(isMailed ? links : [])]) {
      const { status, error } = await ask(name)
      t.is(status, 400, JSON.stringify(name))
      t.like(error, { type: 'VALIDATION_ERROR', details: { fields: [{ path }] } }, JSON.stringify(name))
    }
  })
  if (what !== 'a role')
    test(`the name of ${what} is kept in one form, without the space around it`, async t => {
      const { status, data } = await ask(' Zoe\u0308 O’Neill 👩🏽‍🚀 عائشة\n')
      t.true(status === 200 || status === 201, String(status))
      t.true(JSON.stringify(data).includes('"Zoë O’Neill 👩🏽‍🚀 عائشة"'))
    })
}

test('the name of an imported user is refused as at the API, row by row', async t => {
  const rows = [...broken, ...links].map(name => ({ email: email(), full_name: name }))
  const { data } = await api.ask('POST /users/import', { token: admin, body: { users: rows } })
  t.deepEqual(
    data.results.map(({ error }: { error: { fields: { path: string }[] } | null }) => error?.fields[0]?.path),
    rows.map(() => 'full_name'),
  )
})

test('the sign-up page says in its language what a name must not have', async t => {
  const { person, page } = await beginSignIn(api.server, { parameters: { ui_locales: 'de' } })
  const form = await person.get(beside(page.url, 'sign-up'))
  for (const name of ['Ada \u202eevil', 'www.evil.example']) {
    const answer = await person.submit(form, { email: email(), name, password: 'violet umbrella 77' })
    t.is(answer.status, 400)
    t.true(answer.body.includes('Ein Name'), name)
  }
})

test('a client that registers itself is refused a name that hides something', async t => {
  const { InitialAccessToken } = api.server.app.protocol.engine.current()
  const register = async (name: string) =>
    fetch(`${api.server.issuer}/oauth2/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${await new InitialAccessToken().save()}` },
      body: JSON.stringify({ client_name: name, redirect_uris: ['https://one.example/cb'] }),
    })
  t.is((await register('Ada \u202eevil')).status, 400)
  t.is((await register('One app')).status, 201)
})

// What people typed stays on the page that tells them what is wrong with it, but for their passwords; and the first of a field's faults is told.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { type Answer, createPerson, type Person } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { beginSignIn, beside } from '../support/sign-in-pages.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const end = 'nowhere'
const password = 'violet umbrella 77'
/** What stands in a field of a page. */
const typedIn = ({ body }: Answer, name: string) => new RegExp(`<input [^>]*name="${name}"[^>]*? value="([^"]*)"`).exec(body)?.[1]
const faultOf = ({ body }: Answer, id: string) => new RegExp(`id="${id}-error">([^<]*)`).exec(body)?.[1]

const toSignUp = async () => {
  const { person, page } = await beginSignIn(server)
  return { person, form: await person.get(beside(page.url, 'sign-up')) }
}
const ida = () => ({ email: `${randomUUID()}@people.example`, name: 'Ida Example', password })

for (const [what, changed, field, fault] of [
  ['a name with a link', { name: 'Ida www.example.com' }, 'name', 'A name must not hold a link.'],
  ['a name that is too long', { name: 'x'.repeat(201) }, 'name', 'Enter at most 200 characters.'],
  ['no name', { name: '' }, 'name', 'Enter your name.'],
  ['a name of spaces', { name: '  ' }, 'name', 'Enter your name.'],
  ['no password', { password: '' }, 'password', 'Enter your password.'],
  ['an address that is none', { email: 'ida' }, 'email', undefined],
  ['an address that is too long', { email: `${'x'.repeat(330)}@people.example` }, 'email', 'Enter at most 320 characters.'],
] as const)
  test(`who signs up with ${what} is told so, and types nothing else again`, async t => {
    const { person, form } = await toSignUp()
    const typed = { ...ida(), ...changed }
    const answer = await person.submit(form, typed)
    t.is(answer.status, 400)
    t.is(typedIn(answer, 'email'), typed.email)
    t.is(typedIn(answer, 'name'), typed.name)
    if (typed.password !== '') t.false(answer.body.includes(typed.password))
    t.truthy(faultOf(answer, field))
    if (fault) t.is(faultOf(answer, field), fault)
  })

test('a form that is taken no more keeps what was typed, escaped and within bounds, and another site’s keeps nothing', async t => {
  const { person, form } = await toSignUp()
  const evil = { ...ida(), name: '"><script>alert(1)</script>', email: `${'x'.repeat(9000)}\u{1f642}` }
  const answer = await person.post(form.url, { ...evil, csrf: 'wrong' })
  t.is(typedIn(answer, 'name'), '&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;')
  t.true((typedIn(answer, 'email') ?? '').length <= 2000)
  t.false((await person.post(form.url, { ...ida(), name: 'a\0b', csrf: 'wrong' })).body.includes('\0'))
  const foreign = await person.post(form.url, { ...evil, name: 'Mallory' }, { origin: 'https://evil.example' })
  t.is(foreign.status, 403)
  t.false(foreign.body.includes('Mallory'))
  const twice = new URLSearchParams([
    ['name', 'Ida'],
    ['name', 'Eve'],
  ])
  t.is(typedIn(await person.post(form.url, twice), 'name'), '')
})

test('the address stays where the first page refuses it, and where a new password is asked for', async t => {
  const { person, page } = await beginSignIn(server)
  const typed = 'ida@people.example'
  t.is(typedIn(await person.post(beside(page.url, 'identifier'), { csrf: 'wrong', username: typed }), 'username'), typed)
  const long = `${'x'.repeat(330)}@people.example`
  t.is(typedIn(await person.submit(page, { username: long }), 'username'), long)
  const form = await person.follow(await person.get(beside(page.url, 'recovery')), redirectUri)
  t.is(typedIn(await person.submit(form, { username: long }), 'username'), long)
})

test('the code of a device stays where its form is taken no more', async t => {
  const person = createPerson()
  const form = await person.get(new URL('/device', server.issuer))
  t.is(typedIn(await person.submit(form, { user_code: 'BCDF-GHJK' }), 'user_code'), 'BCDF-GHJK')
  t.is(typedIn(await person.post(form.url, { xsrf: 'wrong', user_code: 'BCDF-GHJK' }), 'user_code'), 'BCDF-GHJK')
})

const open = async (person: Person, path: string) => {
  const who = await makeUser(server)
  let answer = await person.follow(await person.get(new URL(path, server.issuer)), end)
  const asked: Record<string, string>[] = [{ username: who.email }, { password: who.password }]
  for (const fields of asked) answer = await person.follow(await person.submit(answer, fields), end)
  return answer
}

for (const [path, fields] of [
  ['/account/profile', { name: 'Ida www.example.com', locale: 'de' }],
  ['/account/email', { email: 'ida at people.example' }],
  ['/account/agents', { agent_name: 'x'.repeat(101), redirect_uris: 'https://agent.example/back' }],
  ['/account/agents', { agent_name: 'Helper', redirect_uris: 'ftp://agent.example/back' }],
] as const)
  test(`what was typed at ${path} stays: ${Object.values(fields)}`.slice(0, 90), async t => {
    const person = createPerson()
    const answer = await person.submit(await open(person, path), fields)
    t.is(answer.status, 400)
    for (const [name, value] of Object.entries(fields)) if (name !== 'locale') t.is(typedIn(answer, name), value)
    if ('locale' in fields) t.regex(answer.body, /<option value="de"[^>]* selected>/)
  })

test('a new name of an agent that is not taken stays in its field', async t => {
  const person = createPerson()
  const made = await person.follow(await person.submit(await open(person, '/account/agents'), { agent_name: 'Helper', redirect_uris: '' }), end)
  const rename = /name="rename" value="([^"]+)"/.exec(made.body)?.[1] ?? ''
  const csrf = /name="csrf" value="([^"]+)"/.exec(made.body)?.[1] ?? ''
  const answer = await person.post(new URL('/account/agents', server.issuer), { csrf, rename, label: 'y'.repeat(101) })
  t.is(typedIn(answer, 'label'), 'y'.repeat(101))
})

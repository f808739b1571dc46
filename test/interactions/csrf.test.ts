// Forms of the hosted pages are taken from our own pages only, in the browser and the interaction they were made for.
import test from 'ava'
import { createPerson, type Person } from '../support/person.ts'
import { bob, createRelyingParty, redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

/** Opens the sign-in page; answers its address and token. */
const begin = async (person: Person) => {
  const { request } = await createRelyingParty(server.issuer)
  const page = await person.follow(await person.get((await request()).url), redirectUri)
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? ''
  return { base: page.url, csrf, uid: page.url.pathname.split('/')[2] ?? '' }
}

const at = (base: URL, form: string) => new URL(`${base.pathname.split('/').slice(0, 3).join('/')}/${form}`, base)

const foreign: Readonly<Record<string, Record<string, string>>> = {
  'another origin': { origin: 'https://evil.example' },
  'an origin that begins like ours': { origin: 'http://localhost.evil.example' },
  'no origin that can be told': { origin: 'null' },
  'another site': { origin: '', 'sec-fetch-site': 'cross-site' },
  'a sibling': { origin: '', 'sec-fetch-site': 'same-site' },
  'another site in our name': { 'sec-fetch-site': 'cross-site' },
}

for (const [name, headers] of Object.entries(foreign))
  for (const form of [
    'identifier',
    'connection',
    'password',
    'cancel',
    'switch',
    'consent',
    'second-factor',
    'second-factor/recovery-code',
    'enrol',
    'recovery-codes',
  ])
    test(`the ${form} form posted from ${name} is refused with 403`, async t => {
      const person = createPerson()
      const { base, csrf } = await begin(person)
      if (form === 'password') await person.post(at(base, 'identifier'), { csrf, username: bob.email })
      const answer = await person.post(at(base, form), { csrf, username: bob.email, password: bob.password, decision: 'allow' }, headers)
      t.is(answer.status, 403)
      t.is(answer.location, undefined)
    })

test('a form without its token, or with another, signs nobody in', async t => {
  const person = createPerson()
  const { base, csrf } = await begin(person)
  await person.post(at(base, 'identifier'), { csrf, username: bob.email })
  for (const wrong of ['', 'x', csrf.slice(0, -2), `${csrf}x`, csrf.toUpperCase()]) {
    const answer = await person.post(at(base, 'password'), { csrf: wrong, password: bob.password })
    t.is(answer.status, 403, wrong)
    t.is(answer.location, undefined)
  }
  const without = await person.post(at(base, 'password'), { password: bob.password })
  t.true([400, 403].includes(without.status))
})

test('the token of one interaction is nothing to another', async t => {
  const [attacker, victim] = [createPerson(), createPerson()]
  const theirs = await begin(attacker)
  const ours = await begin(victim)
  t.is((await victim.post(at(ours.base, 'identifier'), { csrf: theirs.csrf, username: bob.email })).status, 403)
})

test('an interaction is nothing in another browser', async t => {
  const { base, csrf } = await begin(createPerson())
  for (const stranger of [createPerson(), await began()]) {
    t.is((await stranger.get(base)).status, 404)
    t.is((await stranger.post(at(base, 'identifier'), { csrf, username: bob.email })).status, 404)
    t.is((await stranger.post(at(base, 'password'), { csrf, password: bob.password })).status, 404)
  }
})

test('a form says a field once and no field that it does not have', async t => {
  const person = createPerson()
  const { base, csrf } = await begin(person)
  const twice = new URLSearchParams([
    ['csrf', csrf],
    ['username', bob.email],
    ['username', 'admin@authy2.local'],
  ])
  t.is((await person.post(at(base, 'identifier'), twice)).status, 400)
  t.is((await person.post(at(base, 'identifier'), { csrf, username: bob.email, isAdmin: 'yes' })).status, 400)
  t.is((await person.post(at(base, 'identifier'), { csrf, 'username[]': bob.email })).status, 400)
})

test('text that cannot be text is refused in every field of the sign-in forms', async t => {
  const person = createPerson()
  const { base, csrf } = await begin(person)
  await person.post(at(base, 'identifier'), { csrf, username: bob.email })
  for (const evil of ['a\0b', 'x'.repeat(2000), '\0'])
    for (const [form, field] of [
      ['identifier', 'csrf'],
      ['identifier', 'username'],
      ['password', 'password'],
      ['password', 'username'],
      ['password', 'remember'],
      ['cancel', 'csrf'],
      ['switch', 'csrf'],
    ] as const) {
      const fields: Record<string, string> = form === 'identifier' ? { csrf, username: bob.email } : form === 'password' ? { csrf, password: 'x' } : { csrf }
      const answer = await person.post(at(base, form), { ...fields, [field]: evil })
      t.true([400, 403].includes(answer.status), `${form} ${field}: ${answer.status}`)
    }
})

async function began(): Promise<Person> {
  const person = createPerson()
  await begin(person)
  return person
}

// What holds for every hosted page: its language, asked for by the client, chosen by the person, accepted by the browser, in this order; its
// forms, taken from our own pages only, in the browser and the interaction they were made for; and the mail a developer reads beside it.
import test from 'ava'
import { mailTo } from '../support/mails.ts'
import { createPerson, type Person } from '../support/person.ts'
import { bob, createRelyingParty, redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

/** Opens the sign-in page. */
const begin = async (person: Person, parameters: Record<string, string> = {}) => {
  const { request } = await createRelyingParty(server.issuer)
  return person.follow(await person.get((await request(parameters)).url), redirectUri)
}
const choose = (person: Person, language: string, here = '/device', headers = {}) =>
  person.post(new URL('/language', server.issuer), { language, here }, headers)
const langOf = (body: string) => /<html lang="([^"]*)"/.exec(body)?.[1]

for (const [uiLocales, cookie, accepted, expected] of [
  [undefined, undefined, undefined, 'en'],
  [undefined, undefined, 'fi, de-AT;q=0.9, fr;q=0.8', 'de'],
  [undefined, undefined, 'fr;q=0.2, ja;q=0.9', 'ja'],
  [undefined, undefined, 'de;q=0, es', 'es'],
  [undefined, 'fr', 'de', 'fr'],
  ['es-MX en', 'fr', 'de', 'es'],
  ['fi', 'fr', 'de', 'fr'],
  ['fi', undefined, 'de', 'de'],
  ['fi sv', undefined, 'nl', 'en'],
  ['../../etc/passwd', undefined, '../../etc/passwd', 'en'],
  ['__proto__ constructor', undefined, '__proto__;q=1', 'en'],
] as const)
  test(`asked for ${uiLocales}, chosen ${cookie}, accepted ${accepted}: ${expected}`, async t => {
    const person = createPerson(accepted === undefined ? {} : { 'accept-language': accepted })
    if (cookie) await choose(person, cookie, '/elsewhere')
    const page = await begin(person, uiLocales === undefined ? {} : { ui_locales: uiLocales })
    t.is(page.status, 200)
    t.is(langOf(page.body), expected)
    t.is(page.headers.get('content-language'), expected)
  })

test('hostile cookies and headers are answered in English', async t => {
  for (const headers of [
    { cookie: 'language=../../etc' },
    { cookie: 'language=__proto__' },
    { cookie: 'language=de%0d%0aX-Evil' },
    { cookie: `language=${'x'.repeat(10_000)}` },
    { 'accept-language': 'x'.repeat(10_000) },
    { 'accept-language': ',;q=,*;;q=1,-,de-;q=9' },
  ]) {
    const page = await fetch(`${server.issuer}/device`, { headers: { accept: 'text/html', ...headers } })
    t.is(page.status, 200)
    t.is(page.headers.get('content-language'), 'en')
  }
})

test('whoever chooses another language goes on where they were, in it, whatever the client asked for', async t => {
  const person = createPerson()
  const first = await begin(person, { ui_locales: 'de' })
  t.is(langOf(first.body), 'de')
  const password = await person.follow(await person.submit(first, { username: bob.email }), redirectUri)
  const answer = await person.submit(password, { language: 'ar' })
  t.is(answer.status, 303)
  t.is(answer.location?.pathname, password.url.pathname)
  const again = await person.follow(answer, redirectUri)
  t.is(langOf(again.body), 'ar')
  t.true(again.body.includes('dir="rtl"') && again.body.includes(bob.email))
  t.true((await person.submit(again, { password: bob.password })).location !== undefined)
})

test('a page that answered a mistake is come back to in the other language', async t => {
  const person = createPerson()
  const password = await person.follow(await person.submit(await begin(person), { username: bob.email }), redirectUri)
  const wrong = await person.submit(password, { password: 'wrong' })
  const again = await person.follow(await person.submit(wrong, { language: 'fr' }), redirectUri)
  t.is(again.status, 200)
  t.is(langOf(again.body), 'fr')
})

test('mistakes, limits and the pages of the engine are told in the language', async t => {
  const person = createPerson({ 'accept-language': 'de' })
  const password = await person.follow(await person.submit(await begin(person), { username: 'niemand@acme-corp.com' }), redirectUri)
  t.true((await person.submit(password, { password: 'falsch' })).body.includes('E-Mail-Adresse oder Passwort ist falsch.'))
  t.true((await person.submit(password, { password: '' })).body.includes('Geben Sie Ihr Passwort ein.'))
  for (let round = 0; round < 10; round += 1) await person.submit(password, { password: 'falsch' })
  t.true((await person.submit(password, { password: 'falsch' })).body.includes('Bitte versuchen Sie es in 15 Minuten noch einmal.'))
  t.true((await begin(person, { redirect_uri: 'https://elsewhere.example/' })).body.includes('Dieser Link ist nicht vertrauenswürdig'))
  t.true((await person.get(`${server.issuer}/interaction/gone`)).body.includes('Diese Anmeldung ist beendet'))
})

test('the client’s wish reaches the pages of the engine', async t => {
  const person = createPerson()
  t.is(langOf((await person.get(`${server.issuer}/oauth2/logout?ui_locales=ja`)).body), 'ja')
  t.is(langOf((await begin(person, { redirect_uri: 'https://elsewhere.example/', ui_locales: 'es' })).body), 'es')
})

test('the choice leads nowhere but to our own pages, and is remembered for none else', async t => {
  for (const here of [
    'https://evil.example/',
    '//evil.example/',
    '/\\evil.example',
    'javascript:alert(1)',
    '',
    'device',
    '/\t/evil.example',
    '/.//evil.example',
    '/..//evil.example?a=b',
    '/%2e%2e//evil.example',
    '/interaction/..//evil.example/x',
    '/interaction/../\\ada@evil.example/x',
  ]) {
    const answer = await choose(createPerson(), 'ar', here)
    t.is(answer.status, 303, here)
    t.is(answer.location?.href, `${server.issuer}/account`, here)
    t.notRegex(answer.headers.getSetCookie().join(), /evil/, here)
  }
  t.is((await choose(createPerson(), 'de', `/${'x'.repeat(5000)}`)).status, 400)
  t.is((await choose(createPerson(), 'de', '/device?user_code=BCDF')).location?.href, `${server.issuer}/device?user_code=BCDF`)
})

test('a language that is not spoken, and the form of another site, are refused', async t => {
  for (const language of ['xx', '', '__proto__', '../de', 'de-AT']) t.is((await choose(createPerson(), language)).status, 400)
  t.is((await choose(createPerson(), 'de', '/device', { origin: 'https://evil.example' })).status, 403)
  t.is((await choose(createPerson(), 'de', '/device', { 'sec-fetch-site': 'cross-site' })).status, 403)
})

test('the choice is remembered for a year, out of reach of scripts', async t => {
  const cookie = (await choose(createPerson(), 'de')).headers.getSetCookie()[0] ?? ''
  t.regex(cookie, /^language=de/)
  t.regex(cookie, /httponly/i)
  t.regex(cookie, /samesite=lax/i)
  t.true(Date.parse(/expires=([^;]+)/i.exec(cookie)?.[1] ?? '') > Date.now() + 364 * 86_400_000)
})

test('discovery lists the languages', async t => {
  const metadata = (await (await fetch(`${server.issuer}/.well-known/openid-configuration`)).json()) as Record<string, unknown>
  t.deepEqual([...(metadata.ui_locales_supported as string[])].toSorted(), ['ar', 'de', 'en', 'es', 'fr', 'ja'])
  t.is(metadata.claims_locales_supported, undefined)
})

/** Opens the sign-in page; answers its address and token. */
const beginWithForm = async (person: Person) => {
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
      const { base, csrf } = await beginWithForm(person)
      if (form === 'password') await person.post(at(base, 'identifier'), { csrf, username: bob.email })
      const answer = await person.post(at(base, form), { csrf, username: bob.email, password: bob.password, decision: 'allow' }, headers)
      t.is(answer.status, 403)
      t.is(answer.location, undefined)
    })

test('a form without its token, or with another, signs nobody in', async t => {
  const person = createPerson()
  const { base, csrf } = await beginWithForm(person)
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
  const theirs = await beginWithForm(attacker)
  const ours = await beginWithForm(victim)
  t.is((await victim.post(at(ours.base, 'identifier'), { csrf: theirs.csrf, username: bob.email })).status, 403)
})

test('an interaction is nothing in another browser', async t => {
  const { base, csrf } = await beginWithForm(createPerson())
  for (const stranger of [createPerson(), await began()]) {
    t.is((await stranger.get(base)).status, 404)
    t.is((await stranger.post(at(base, 'identifier'), { csrf, username: bob.email })).status, 404)
    t.is((await stranger.post(at(base, 'password'), { csrf, password: bob.password })).status, 404)
  }
})

test('a form says a field once and no field that it does not have', async t => {
  const person = createPerson()
  const { base, csrf } = await beginWithForm(person)
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
  const { base, csrf } = await beginWithForm(person)
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
  await beginWithForm(person)
  return person
}

test('kept mail is listed and read, its links can be followed, and it may run nothing', async t => {
  const server = await startServer()
  t.teardown(() => server.close())
  const email = '"><script>alert(1)</script>@example.com'
  await server.resources.mailer?.send({ id: 'mail-1', to: email, subject: 'A <b>subject</b>', text: 'Open:\nhttps://id.example.com/x?a=1&b=2\n', html: '' })
  const browser = createPerson()
  const list = await browser.get(`${server.issuer}/dev/mail`)
  t.is(list.status, 200)
  t.true(list.body.includes('A &lt;b&gt;subject&lt;/b&gt;'))
  t.false(list.body.includes('<script>alert'))
  t.regex(list.headers.get('content-security-policy') ?? '', /default-src 'none'/)
  const mail = await browser.get(`${server.issuer}/dev/mail/mail-1`)
  t.true(mail.body.includes('<a href="https://id.example.com/x?a=1&amp;b=2">'))
  t.is((await browser.get(`${server.issuer}/dev/mail/nothing`)).status, 404)
  const told = JSON.parse((await browser.send(new URL('/dev/mail', server.issuer), { headers: { accept: 'application/json' } })).body)
  t.is((await mailTo(server, email, 'subject')).text, told[0].text)
})

test('in production there is no such page', async t => {
  const production = {
    NODE_ENV: 'production',
    ISSUER: 'https://id.example.com',
    DATABASE_URL: 'postgresql://x/y',
    REDIS_URL: 'redis://x',
    SECRET_KEY: 'q8Zr2LmX0vTnB4wYk6JdP9sHcF1gAeUo',
  }
  const { openMail } = await import('../../src/resources.ts')
  const { readConfig } = await import('../../src/config.ts')
  t.deepEqual(
    openMail(readConfig(production), () => new Date()),
    {},
  )
})

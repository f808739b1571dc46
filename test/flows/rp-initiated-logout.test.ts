// RP-Initiated Logout 1.0 in every variant: what is asked of the person, where they end up, and that nobody is signed out unasked by a
// stranger.
import test, { type ExecutionContext } from 'ava'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { makeClient, type TestClient } from '../support/clients.ts'
import { home, longState, makeSignedIn, type Row, rows, type SignedIn, toHome, withHint } from '../support/logout-variants.ts'
import { type Answer, createPerson, type Person } from '../support/person.ts'
import { alice, bob } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let end: string
test.before(async () => {
  server = await startServer()
  end = `${server.issuer}/oauth2/logout`
})
test.after.always(() => server?.close())

const isSignedIn = async ({ person, client }: { person: Person; client: TestClient }) =>
  (await person.get((await client.request({ prompt: 'none' })).url)).location?.searchParams.has('code') ?? false

const isAutomatic = ({ body }: Answer) => body.includes('data-automatic')

const judge = async (t: ExecutionContext, { signed, first, row }: { signed: SignedIn; first: Answer; row: Pick<Row, 'outcome' | 'back'> }) => {
  const shown = await signed.person.follow(first, home)
  t.is(shown.status, row.outcome === 'refused' ? 400 : 200)
  t.is(isAutomatic(shown), row.outcome === 'unasked')
  t.is(shown.body.includes('name="logout"'), row.outcome !== 'refused')
  // Without script and without an answer nothing has happened yet.
  t.true(await isSignedIn(signed))
  if (row.outcome === 'refused') return t.false(shown.location?.href.startsWith(home) ?? false)
  const page = await signed.person.follow(await signed.person.get(first.url), home)
  const done = await signed.person.follow(await signed.person.submit(page, { logout: 'yes' }), home)
  t.is(done.location?.href, row.back)
  if (row.back === undefined) t.regex(done.body, /You are signed out/)
  t.false(await isSignedIn(signed))
}

for (const row of rows) {
  const result = { unasked: 'is signed out unasked', asked: 'is asked', refused: 'is shown an error' }[row.outcome]
  test(`${row.section}: with ${row.what} a person ${result}`, async t => {
    const signed = await makeSignedIn(server, row.metadata)
    await judge(t, { signed, row, first: await signed.person.get(`${end}?${new URLSearchParams(await row.request(signed))}`) })
  })
}

test('§2: a request by POST is as one by GET', async t => {
  const signed = await makeSignedIn(server)
  const form = { ...withHint(signed), ...toHome, state: 'kept' }
  const shown = await signed.person.post(new URL(end), form)
  t.true(isAutomatic(shown))
  t.is((await signed.person.submit(shown, { logout: 'yes' })).location?.href, `${home}?state=kept`)
  t.false(await isSignedIn(signed))
})

test('§2: a request by POST from another site, which brings no cookies, is sent on by GET', async t => {
  const signed = await makeSignedIn(server)
  const form = { ...withHint(signed), ...toHome, state: longState }
  const sentOn = await createPerson().post(new URL(end), form, { origin: 'http://localhost:4000', 'sec-fetch-site': 'cross-site' })
  t.is(sentOn.status, 303)
  await judge(t, {
    signed,
    row: { outcome: 'unasked', back: `${home}?${new URLSearchParams({ state: longState })}` },
    first: await signed.person.get(sentOn.location ?? ''),
  })
})

test('§2: a parameter that is given twice is refused', async t => {
  const { person } = await makeSignedIn(server)
  t.is((await person.get(`${end}?state=one&state=two`)).status, 400)
})

test('§2: the page speaks the first language of ui_locales that it knows', async t => {
  const signed = await makeSignedIn(server)
  const page = await signed.person.get(`${end}?${new URLSearchParams({ client_id: signed.client.clientId, ui_locales: 'se fr-CA en' })}`)
  t.regex(page.body, /<html[^>]* lang="fr"/)
})

test('§2: whoever stays is signed out of the client alone, and led back to it', async t => {
  const signed = await makeSignedIn(server)
  const other = await makeClient(server)
  await signed.person.get((await other.request()).url)
  const page = await signed.person.get(`${end}?${new URLSearchParams({ ...toHome, client_id: signed.client.clientId })}`)
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(page.body)?.[1] ?? ''
  const stayed = await signed.person.post(new URL(`${end}/confirm`), { xsrf })
  t.is(stayed.location?.href, home)
  t.true(await isSignedIn({ person: signed.person, client: other }))
})

test('§2: whom nobody signed in here is led back with the state, unasked', async t => {
  const { hint } = await makeSignedIn(server)
  const stranger = createPerson()
  const page = await stranger.get(`${end}?${new URLSearchParams({ id_token_hint: hint, ...toHome, state: 'kept' })}`)
  t.is(page.status, 200)
  t.is((await stranger.follow(await stranger.press(page, 'logout/confirm'), home)).location?.href, `${home}?state=kept`)
})

test('§2: whom nobody signed in here is told that they are signed out', async t => {
  const stranger = createPerson()
  const done = await stranger.follow(await stranger.press(await stranger.get(end), 'logout/confirm'), home)
  t.is(done.status, 200)
  t.regex(done.body, /You are signed out/)
})

test('a client that is disabled signs nobody out', async t => {
  const signed = await makeSignedIn(server)
  const other = await makeClient(server)
  await signed.person.get((await other.request()).url)
  await server.services.clientAdministration.update(systemActor, { id: signed.client.clientId }, { isDisabled: true })
  t.is((await signed.person.get(`${end}?${new URLSearchParams({ ...withHint(signed), ...toHome })}`)).status, 400)
  t.true(await isSignedIn({ person: signed.person, client: other }))
})

test('an image on another site signs nobody out', async t => {
  const signed = await makeSignedIn(server)
  await signed.person.send(new URL(`${end}?${new URLSearchParams({ ...withHint(signed) })}`), {
    headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'image', 'sec-fetch-mode': 'no-cors' },
  })
  t.true(await isSignedIn(signed))
})

/** Whether the sign-out page submits itself where there is script. */
const isUnasked = async (person: Person, { configuration }: TestClient, hint: string | undefined) => {
  const page = await person.get(client.buildEndSessionUrl(configuration, hint ? { id_token_hint: hint } : {}))
  return page.body.includes('data-automatic')
}

for (const [name, metadata] of [
  ['without `sid`', {}],
  ['with `sid`', { backchannel_logout_uri: 'https://client.example/logout', backchannel_logout_session_required: true }],
] as const)
  test(`the ID token of whoever is signed in, ${name}, signs out unasked; another user’s and none do not`, async t => {
    const made = await makeClient(server, { metadata })
    const bobs = await made.signIn({ who: bob })
    const alices = await made.signIn({ who: alice })
    t.is('sid' in (bobs.tokens.claims() ?? {}), 'backchannel_logout_uri' in metadata)
    t.true(await isUnasked(bobs.person, made, bobs.tokens.id_token))
    t.false(await isUnasked(bobs.person, made, alices.tokens.id_token))
    t.false(await isUnasked(bobs.person, made, undefined))
  })

test('an ID token of a client that is not signed in at here asks', async t => {
  const [here, elsewhere] = [await makeClient(server), await makeClient(server)]
  const { person } = await here.signIn({ who: bob })
  const other = await elsewhere.signIn({ who: bob })
  t.false(await isUnasked(person, elsewhere, other.tokens.id_token))
})

test('a pairwise subject asks', async t => {
  const made = await makeClient(server, { metadata: { subject_type: 'pairwise' } })
  const { person, tokens } = await made.signIn({ who: bob })
  t.false(await isUnasked(person, made, tokens.id_token))
})

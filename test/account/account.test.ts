// The account centre: signed in to, one's profile, sessions, apps and agents.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import * as client from 'openid-client'
import { TOTP, URI } from 'otpauth'
import { maxAgents } from '../../src/clients/agent.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { plant } from '../support/canaries.ts'
import { makeClient, refusal } from '../support/clients.ts'
import { codeOf } from '../support/factors.ts'
import { makeOrganizationOf } from '../support/organizations.ts'
import { type Answer, createPerson, type Person } from '../support/person.ts'
import { createRelyingParty, redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const password = 'a long enough password'
const at = (path: string) => new URL(path, server.issuer)

/** Opens a page of the account centre, signing in wherever asked. */
const open = async (person: Person, path: string, who: { email: string; password?: string }) => {
  let answer = await person.follow(await person.get(at(path)), 'nowhere')
  for (let step = 0; step < 4 && answer.body.includes('/interaction/'); step += 1)
    answer = await person.follow(await person.submit(answer, { username: who.email, password: who.password ?? password }), 'nowhere')
  return answer
}

const newcomer = async () => {
  const user = await makeUser(server, { email: `${randomUUID()}@people.example` })
  const person = createPerson()
  return { user, person, open: (path: string) => open(person, path, user) }
}

/** The lists of what a client may do. */
const listsIn = (body: string) => body.match(/<ul class="scopes">.*?<\/ul>/gs) ?? []

/** Lets the sign-in be older than it is. */
const ageSession = (userId: string, seconds: number) =>
  server.resources.database.pool.query(
    `UPDATE oidc_artifacts SET payload = jsonb_set(payload::jsonb, '{loginTs}', to_jsonb((payload ->> 'loginTs')::bigint - $2::bigint))::json WHERE kind = 'Session' AND account_id = $1`,
    [userId, seconds],
  )

test('whoever is not signed in is sent to sign in, and comes back to the page they wanted', async t => {
  const { user, open } = await newcomer()
  const page = await open('/account/sessions')
  t.is(page.url.pathname, '/account/sessions')
  t.is(page.status, 200)
  t.true(page.body.includes('this device'))
  t.truthy(user)
})

test('a person changes their name and language', async t => {
  const { user, person, open } = await newcomer()
  const page = await open('/account/profile')
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? ''
  const answer = await person.follow(await person.post(at('/account/profile'), { csrf, name: 'Grace Hopper', locale: 'de' }), 'nowhere')
  t.is(answer.status, 200)
  t.true(answer.body.includes('Gespeichert.'))
  const kept = await server.services.userAdministration.get(user.id)
  t.is(kept.name, 'Grace Hopper')
  t.is(kept.locale, 'de')
})

test('an administrator of the system changes their own name and deletes their own account', async t => {
  const { user, person, open } = await newcomer()
  await server.services.userAdministration.update(systemActor, user.id, { isAdmin: true })
  const page = await open('/account/profile')
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? ''
  t.is((await person.post(at('/account/profile'), { csrf, name: 'Grace Hopper', locale: '' })).status, 303)
  t.is((await server.services.userAdministration.get(user.id)).name, 'Grace Hopper')
  const deleted = await person.submit(await open('/account/data'), { confirm: user.email })
  t.true(deleted.body.includes('Your account was deleted'))
  await t.throwsAsync(server.services.userAdministration.get(user.id))
})

test('a changed password signs out everywhere else, and a wrong current one is told beside its field', async t => {
  const { user, person, open: openHere } = await newcomer()
  const other = createPerson()
  await open(other, '/account/profile', user)
  const page = await openHere('/account/password')
  const wrong = await person.submit(page, { current_password: 'not my password', new_password: 'entirely new words here' })
  t.is(wrong.status, 400)
  t.true(wrong.body.includes('current-error'))
  const answer = await person.follow(await person.submit(page, { current_password: password, new_password: 'entirely new words here' }), 'nowhere')
  t.is(answer.status, 200)
  t.true(answer.body.includes('Your password was changed'))
  const elsewhere = await other.get(at('/account/profile'))
  t.is(elsewhere.status, 303)
})

test('a sensitive page asks for a sign-in of the last five minutes', async t => {
  const { user, person, open } = await newcomer()
  await open('/account/profile')
  await ageSession(user.id, 301)
  t.is((await person.get(at('/account/profile'))).status, 200)
  const answer = await person.get(at('/account/password'))
  t.is(answer.status, 303)
  t.is(answer.location?.searchParams.get('max_age'), '300')
  const again = await person.follow(answer, 'nowhere')
  t.true(again.body.includes('/interaction/'))
  t.is((await open('/account/password')).url.pathname, '/account/password')
})

test('a form of a sensitive page is not taken from an old sign-in either', async t => {
  const { user, person, open } = await newcomer()
  const page = await open('/account/data')
  await ageSession(user.id, 301)
  const answer = await person.submit(page, { confirm: user.email })
  t.is(answer.status, 303)
  t.is((await server.services.userAdministration.get(user.id)).id, user.id)
})

test('one of one’s sessions is ended, and all others at once', async t => {
  const { user, person, open: openHere } = await newcomer()
  const [first, second] = [createPerson(), createPerson()]
  await open(first, '/account/profile', user)
  await open(second, '/account/profile', user)
  const page = await openHere('/account/sessions')
  const ids = [...page.body.matchAll(/name="session" value="([0-9a-f-]{36})"/g)].map(([, id]) => id)
  t.is(ids.length, 2)
  await person.submit(page, { session: ids[0] ?? '' })
  const answers = await Promise.all([first, second].map(one => one.get(at('/account/profile'))))
  t.is(answers.filter(({ status }) => status === 303).length, 1)
  await person.press(await openHere('/account/sessions'), 'value="others"').catch(() => undefined)
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? ''
  await person.post(at('/account/sessions'), { csrf, session: 'others' })
  t.deepEqual(await Promise.all([first, second].map(async one => (await one.get(at('/account/profile'))).status)), [303, 303])
  t.is((await person.get(at('/account/profile'))).status, 200)
})

test('an app that was let in is seen and shut out, and its refresh token dies', async t => {
  const { user, person, open } = await newcomer()
  const party = await createRelyingParty(server.issuer)
  const { tokens } = await party.signIn({
    person,
    who: { email: user.email, password },
    parameters: { scope: 'openid profile offline_access', prompt: 'consent' },
  })
  t.truthy(tokens.refresh_token)
  const page = await open('/account/apps')
  t.true(page.body.includes('Acme Portal'))
  t.false(page.body.includes('authy2-account'))
  const answer = await person.follow(await person.submit(page, { client: 'acme-portal-001' }), 'nowhere')
  t.true(answer.body.includes('Access was taken back'))
  const { refreshTokenGrant } = await import('openid-client')
  await t.throwsAsync(refreshTokenGrant(party.configuration, tokens.refresh_token ?? ''))
})

test('what an app may do is told in the words of its consent: by resource server, for each organization, and that it keeps it', async t => {
  const { user, person, open } = await newcomer()
  const { id: organization } = await makeOrganizationOf(server, user.id)
  const resource = `https://${randomUUID()}.example/`
  const scopeDescriptions = { 'documents:read': 'Read your <documents>' }
  await server.services.resourceServers.create(systemActor, {
    identifier: resource,
    name: 'Documents',
    scopes: ['documents:read', 'documents:purge'],
    scopeDescriptions,
    tokenFormat: 'jwt',
    signingAlgorithm: 'ES256',
    accessTokenTtlSeconds: 600,
  })
  const shop = await makeClient(server, { isFirstParty: false, name: 'Shop' })
  const claims = JSON.stringify({ userinfo: { picture: null } })
  const asked: readonly Record<string, string>[] = [
    { scope: 'openid email offline_access documents:read documents:purge', resource, organization, claims, prompt: 'consent' },
    { scope: 'openid organizations', prompt: 'consent' },
  ]
  await open('/account/profile')
  const consents: string[] = []
  for (const parameters of asked) {
    const consent = await person.follow(await person.get((await shop.request(parameters)).url), redirectUri)
    consents.push(consent.body)
    await person.follow(await person.submit(consent, { decision: 'allow' }), redirectUri)
  }
  const rows = (await open('/account/apps')).body.split('<li>\n').slice(1)
  const told = rows.map(row => ({ organization: /for <bdi>Works/.test(row), lists: listsIn(row), resource: row.includes(`Documents (${resource})`) }))
  const [first = '', second = ''] = consents
  t.is(listsIn(first).length, 2)
  t.deepEqual(told, [
    { organization: false, lists: listsIn(second), resource: false },
    { organization: true, lists: listsIn(first), resource: true },
  ])
  for (const words of ['Read your &lt;documents&gt;', 'documents:purge', 'See your picture']) t.true(rows[1]?.includes(words), words)
  for (const body of [first, rows[1] ?? '']) t.regex(body, /It keeps this access when you are not using it/)
  t.notRegex(rows.join(), /offline_access/)
  t.notRegex(rows[0] ?? '', /It keeps this access/)
  // What is gone is told by its address: the app was let in there all the same.
  await server.resources.database.pool.query('UPDATE resource_servers SET disabled_at = now() WHERE identifier = $1', [resource])
  await until(async () => (await open('/account/apps')).body.includes(`In <bdi>${resource}</bdi>`))
})

test('the last owner cannot leave, and is told so on the page', async t => {
  const person = createPerson()
  const page = await open(person, '/account/organizations', { email: 'hank@globex.example', password: 'OwnerPass123!' })
  t.true(page.body.includes('Globex'))
  const id = /name="organization" value="([^"]+)"/.exec(page.body)?.[1] ?? ''
  const answer = await person.submit(page, { organization: id })
  t.is(answer.status, 409)
  t.true(answer.body.includes('at least one owner'))
})

test('one’s data is a file without secrets', async t => {
  const { user, person, open } = await newcomer()
  const page = await open('/account/authenticator')
  await person.submit(page, { code: codeOf(/otpauth:\/\/[^"]+/.exec(page.body)?.[0].replaceAll('&amp;', '&') ?? '') })
  const answer = await person.get(at('/account/data/export'))
  t.regex(answer.headers.get('content-disposition') ?? '', /attachment/)
  const data = JSON.parse(answer.body)
  t.is(data.user.email, user.email)
  t.true(data.events.length > 0)
  t.like(data.factors[0], { kind: 'totp', name: 'Authenticator app' })
  t.notRegex(answer.body, /argon2|secret|token/)
})

test('an account is deleted by who types its address, and is signed out everywhere', async t => {
  const { user, person, open } = await newcomer()
  const page = await open('/account/data')
  t.is((await person.submit(page, { confirm: 'someone@else.example' })).status, 400)
  const answer = await person.submit(page, { confirm: user.email.toUpperCase() })
  t.is(answer.status, 200)
  t.true(answer.body.includes('Your account was deleted'))
  t.is((await person.get(at('/account/profile'))).status, 303)
  await t.throwsAsync(server.services.userAdministration.get(user.id))
})

test('forms without their token, or from elsewhere, do nothing', async t => {
  const { user, person, open } = await newcomer()
  await open('/account/profile')
  for (const [form, headers] of [
    [{ name: 'X', locale: '' }, {}],
    [{ csrf: 'wrong', name: 'X', locale: '' }, {}],
    [{ csrf: 'wrong', name: 'X', locale: '' }, { origin: 'https://evil.example' }],
  ] as const)
    t.true((await person.post(at('/account/profile'), form as Record<string, string>, headers)).status >= 400)
  t.is((await server.services.userAdministration.get(user.id)).name, 'A Test Person')
})

/** Fills in the two pages of a sign-in, in the tab that stands at the first. */
const goThrough = async (person: Person, first: Answer, { email }: { email: string }) => {
  const asked = await person.follow(await person.submit(first, { username: email }), 'nowhere')
  return person.follow(await person.submit(asked, { password }), 'nowhere')
}

test('of two tabs that sign in each comes to the page that it wanted, whichever is first', async t => {
  const user = await makeUser(server)
  for (const isFirstFirst of [true, false]) {
    const person = createPerson()
    const begin = async (path: string) => ({ path, page: await person.follow(await person.get(at(path)), 'nowhere') })
    const tabs = [await begin('/account/sessions'), await begin('/account/apps')]
    for (const { path, page } of isFirstFirst ? tabs : tabs.toReversed()) t.is((await goThrough(person, page, user)).url.pathname, path)
  }
})

test('whoever is signed in is not told otherwise by a callback that is old or was used', async t => {
  const { person, open } = await newcomer()
  await open('/account/profile')
  const answer = await person.get(at('/account/callback?code=abc&state=def'))
  t.is(answer.location?.pathname, '/account/profile')
  t.is([...person.cookies.keys()].filter(name => name.includes('account_sign_in')).length, 0)
})

test('a browser keeps the newest few of the sign-ins that it begins', async t => {
  const person = createPerson()
  for (let count = 0; count < 12; count += 1) await person.get(at('/account/profile'))
  t.is([...person.cookies.keys()].filter(name => name.includes('account_sign_in')).length, 6)
  const user = await makeUser(server)
  t.is((await goThrough(person, await person.follow(await person.get(at('/account/apps')), 'nowhere'), user)).url.pathname, '/account/apps')
})

test('a callback that did not begin here signs nobody in', async t => {
  const person = createPerson()
  const answer = await person.get(at('/account/callback?code=abc&state=def'))
  t.is(answer.status, 400)
  t.is((await person.get(at('/account/profile'))).status, 303)
})

test('an authenticator app is added by its first code, gives recovery codes once, and is removed', async t => {
  const { user, person, open } = await newcomer()
  const page = await open('/account/authenticator')
  const uri = /otpauth:\/\/[^"]+/.exec(page.body)?.[0].replaceAll('&amp;', '&') ?? ''
  const wrong = await person.submit(page, { code: '000000' })
  t.is(wrong.status, 400)
  t.true(wrong.body.includes(uri.replaceAll('&', '&amp;')))
  const codes = await person.follow(await person.submit(wrong, { code: TOTP.generate({ secret: URI.parse(uri).secret }) }), 'nowhere')
  t.is(codes.url.pathname, '/account/recovery-codes')
  t.is([...codes.body.matchAll(/<li><code>/g)].length, 10)
  const list = await open('/account/security')
  t.true(list.body.includes('10 recovery codes are left'))
  const [factor] = await server.services.authenticators.list(user.id)
  t.is((await person.submit(list, { remove: factor?.id ?? '' })).status, 303)
  t.deepEqual(await server.services.authenticators.list(user.id), [])
})

test('every page of the account centre leads to signing out, one’s own session too, and each device is named on its button', async t => {
  const { user, open: openHere } = await newcomer()
  const other = createPerson({ 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' })
  await open(other, '/account/profile', user)
  const { body } = await openHere('/account/sessions')
  t.is([...body.matchAll(/href="\/oauth2\/logout"/g)].length, 2)
  t.regex(body, /Sign out<span class="unseen"> <bdi>Firefox on Linux<\/bdi><\/span>/)
  t.true(body.indexOf('this device') < body.indexOf('Firefox on Linux'))
  t.regex(body, /last used [^<]* UTC/)
})

for (const [path, values, sentence] of [
  ['/account/profile', { name: 'x'.repeat(300), locale: '' }, 'Geben Sie höchstens 200 Zeichen ein.'],
  ['/account/email', { email: '' }, 'Geben Sie Ihre E-Mail-Adresse ein.'],
  ['/account/email', { email: 'nobody' }, 'Das ist keine E-Mail-Adresse.'],
  ['/account/email', { email: 'x'.repeat(400) }, 'Geben Sie höchstens 320 Zeichen ein.'],
  ['/account/email', { email: 'own' }, 'Das ist schon Ihre Adresse.'],
  ['/account/data', { confirm: 'x'.repeat(400) }, 'Geben Sie höchstens 320 Zeichen ein.'],
  ['/account/password', { current_password: '', new_password: 'entirely new words here' }, 'Bitte füllen Sie dieses Feld aus.'],
] as const)
  test(`${path} tells in the person’s language: ${sentence}`, async t => {
    const { user, person, open } = await newcomer()
    await person.post(at('/language'), { language: 'de', here: path })
    const page = await open(path)
    const given: Record<string, string> = { ...values }
    if (given.email === 'own') given.email = user.email
    const answer = await person.submit(page, given)
    t.is(answer.status, 400)
    t.true(answer.body.includes(sentence), /field-error"[^>]*>([^<]*)/.exec(answer.body)?.[1])
  })

const agentsPage = '/account/agents'
const agentOwner = async (headers: Record<string, string> = {}) => {
  const user = await makeUser(server)
  const person = createPerson(headers)
  const open = async () => {
    let page = await person.follow(await person.get(new URL(agentsPage, server.issuer)), 'nowhere')
    for (let step = 0; step < 4 && page.body.includes('/interaction/'); step += 1)
      page = await person.follow(await person.submit(page, { username: user.email, password: user.password }), 'nowhere')
    return page
  }
  const submit = async (page: Awaited<ReturnType<typeof open>>, values: Record<string, string>) => person.follow(await person.submit(page, values), 'nowhere')
  return { user, person, open, submit }
}
const codeIn = (body: string, id: string) => new RegExp(`id="${id}"[^>]*>([^<]+)<`).exec(body)?.[1] ?? ''

test('a person makes an agent whose secret is shown once and works, and ends it', async t => {
  const { open, submit } = await agentOwner()
  const made = await submit(await open(), { agent_name: 'Acme Helper', redirect_uris: redirectUri })
  t.is(made.url.pathname, agentsPage)
  t.true(made.body.includes('The agent was made'))
  const [clientId, secret] = [codeIn(made.body, 'client-id'), plant(codeIn(made.body, 'secret'))]
  const again = await open()
  t.true(again.body.includes('Acme Helper'))
  t.false(again.body.includes(secret))
  const { configuration } = await createRelyingParty(server.issuer, { clientId, secret })
  t.truthy((await client.clientCredentialsGrant(configuration)).access_token)
  const id = /name="disable" value="([^"]+)"/.exec(again.body)?.[1] ?? ''
  const disabled = await submit(again, { disable: id })
  t.true(disabled.body.includes('Disabled'))
  t.is(await refusal(client.clientCredentialsGrant(configuration)), 'invalid_client')
  const removed = await submit(disabled, { remove: id })
  t.false(removed.body.includes('Acme Helper'))
})

test('a person renames an agent, sees what it is and whether it was used, and has a new secret shown once', async t => {
  const { open, submit, person } = await agentOwner()
  const made = await submit(await open(), { agent_name: 'Acme Helper', redirect_uris: redirectUri })
  const [clientId, old] = [codeIn(made.body, 'client-id'), plant(codeIn(made.body, 'secret'))]
  t.true(made.body.includes('never used'))
  t.true(made.body.includes(redirectUri))
  const refused = await person.submit(made, { label: '' })
  t.is(refused.status, 400)
  t.regex(refused.body, /<details open>.*label-error/s)
  const renamed = await submit(made, { label: 'Better helper' })
  t.true(renamed.body.includes('The agent was renamed'))
  t.true(renamed.body.includes('Better helper'))
  t.false(renamed.body.includes('Acme Helper'))
  const renewed = await submit(renamed, { renew: /name="renew" value="([^"]+)"/.exec(renamed.body)?.[1] ?? '' })
  t.true(renewed.body.includes('The secret was replaced'))
  const secret = plant(codeIn(renewed.body, 'secret'))
  t.is(codeIn(renewed.body, 'client-id'), clientId)
  const asked = (given: string) => createRelyingParty(server.issuer, { clientId, secret: given }).then(one => client.clientCredentialsGrant(one.configuration))
  t.is(await refusal(asked(old)), 'invalid_client')
  t.truthy((await asked(secret)).access_token)
  const again = await open()
  t.true(again.body.includes('last used'))
  t.false(again.body.includes(secret))
})

test('what is wrong with an agent is told beside its field', async t => {
  const { open, person } = await agentOwner()
  const page = await open()
  const nameless = await person.submit(page, { agent_name: '' })
  t.is(nameless.status, 400)
  t.true(nameless.body.includes('agent-name-error'))
  const insecure = await person.submit(page, { agent_name: 'X', redirect_uris: 'http://elsewhere.example/callback' })
  t.is(insecure.status, 400)
  t.true(insecure.body.includes('redirect-error'))
  t.true(insecure.body.includes('This is not valid.'))
  await makeClient(server, { name: 'Acme Payroll' })
  const alike = await person.submit(page, { agent_name: 'ACME payroll' })
  t.is(alike.status, 400)
  t.true(alike.body.includes('looks like the name of an app of ours'))
  t.is((await person.submit(page, { agent_name: 'Authу2' })).status, 400)
})

test('whoever has as many agents as one may have is told so, in their language', async t => {
  const { user, open, person } = await agentOwner({ 'accept-language': 'fr' })
  for (let n = 0; n < maxAgents; n += 1) {
    const agent = { clientId: `${user.id}-${n}`, name: `Agent ${n}`, isAgent: true, ownerUserId: user.id } as const
    await server.services.clients.create(systemActor, { ...agent, authenticationMethod: 'client_secret_basic', grantTypes: ['client_credentials'] })
  }
  const refused = await person.submit(await open(), { agent_name: 'One more' })
  t.is(refused.status, 409)
  t.true(refused.body.includes('nombre maximal d’agents'))
})

test('what was done is said only where it was done: no link tells a person that their password was changed', async t => {
  const { open, person } = await newcomer()
  const first = await open('/account/profile')
  for (const done of ['saved', 'password', 'deleted_zzz', `password.${'a'.repeat(43)}`, 'password.', '.']) {
    const page = await person.get(at(`/account/profile?${new URLSearchParams({ done })}`))
    t.is(page.status, 200)
    t.notRegex(page.body, /⟦|was changed|Saved\.|role="status"/, done)
  }
  const saved = await person.follow(await person.submit(first, { name: 'Ida', locale: '' }), 'nowhere')
  t.true(saved.body.includes('Saved.'))
  // Neither on another page, nor of somebody else.
  t.false((await person.get(at(`/account/sessions${saved.url.search}`))).body.includes('Saved.'))
  const other = await newcomer()
  await other.open('/account/profile')
  t.false((await other.person.get(saved.url)).body.includes('Saved.'))
})

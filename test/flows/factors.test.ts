// Second factors in the sign-in of a client: asked for, stepped up to, and told truly.
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { makeClient, type TestClient } from '../support/clients.ts'
import { asksFor, enterPassword, errorOf, essential, go, oneFactor, open, twoFactors } from '../support/factor-journeys.ts'
import { enrolTotp, wrongCodeOf } from '../support/factors.ts'
import { createPerson } from '../support/person.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
let portal: TestClient
test.before(async () => {
  server = await startServer()
  portal = await makeClient(server)
})
test.after.always(() => server?.close())

test('whoever has a factor is asked for it, and the ID token says so', async t => {
  const user = await makeUser(server)
  const factor = await enrolTotp(server, user)
  const person = createPerson()
  const { page, claims } = await open(person, portal)
  const second = await enterPassword(person, page, user)
  t.is(asksFor(second), 'second-factor')
  const told = await claims(await go(person, second, { code: await factor.code() }))
  t.deepEqual(told?.amr, ['pwd', 'otp', 'mfa'])
  t.is(told?.acr, twoFactors)
})

test('whoever has none signs in with one factor, and the ID token says so', async t => {
  const user = await makeUser(server)
  const { tokens } = await portal.signIn({ who: user })
  t.like(tokens.claims(), { amr: ['pwd'], acr: oneFactor })
})

test('a recovery code takes the place of the app once', async t => {
  const user = await makeUser(server)
  await enrolTotp(server, user)
  const [code = ''] = await server.services.recoveryCodes.issue(systemActor, user.id)
  const person = createPerson()
  const { page, claims } = await open(person, portal)
  const second = await enterPassword(person, page, user)
  const other = await person.get(new URL(/href="([^"]+\/recovery-code)"/.exec(second.body)?.[1] ?? '', server.issuer))
  const back = await go(person, other, { code: code.toLowerCase() })
  t.deepEqual((await claims(back))?.amr, ['pwd', 'otp', 'mfa'])
  const again = createPerson()
  const page2 = await enterPassword(again, (await open(again, portal)).page, user)
  const refused = await again.submit(await again.get(new URL(`${page2.url.pathname}/recovery-code`, server.issuer)), { code })
  t.is(refused.status, 401)
  t.true(refused.body.includes('role="alert"'))
})

test('a session with one factor that is asked for two is asked for the second alone, and auth_time stays that of the password', async t => {
  const user = await makeUser(server)
  const { person, tokens } = await portal.signIn({ who: user })
  const factor = await enrolTotp(server, user)
  const quiet = await open(person, portal)
  t.is((await quiet.claims(quiet.page))?.acr, oneFactor, 'who enrols a factor stays signed in')
  const asked = await open(person, portal, { acr_values: twoFactors })
  t.is(asksFor(asked.page), 'second-factor')
  const told = await asked.claims(await go(person, asked.page, { code: await factor.code() }))
  t.like(told, { acr: twoFactors, amr: ['pwd', 'otp', 'mfa'], auth_time: tokens.claims()?.auth_time })
  const after = await open(person, portal, { acr_values: twoFactors, prompt: 'none' })
  t.is((await after.claims(after.page))?.acr, twoFactors)
  const { rows } = await server.resources.database.pool.query('SELECT amr FROM sessions WHERE user_id = $1', [user.id])
  t.deepEqual(rows, [{ amr: ['pwd', 'otp', 'mfa'] }])
})

test('prompt=none is told interaction_required where a step up is missing', async t => {
  const user = await makeUser(server)
  const { person } = await portal.signIn({ who: user })
  await enrolTotp(server, user)
  t.is(errorOf((await open(person, portal, { acr_values: twoFactors, prompt: 'none' })).page), 'interaction_required')
})

test('max_age and prompt=login ask for the password too, however fresh the second factor is', async t => {
  const user = await makeUser(server)
  const factor = await enrolTotp(server, user)
  const person = createPerson()
  const first = await enterPassword(person, (await open(person, portal)).page, user)
  await go(person, first, { code: await factor.code() })
  for (const parameters of [{ prompt: 'login' }, { max_age: '0' }] as Record<string, string>[]) {
    if ('max_age' in parameters) await new Promise(resolve => setTimeout(resolve, 1100))
    const asked = await open(person, portal, { ...parameters, acr_values: twoFactors })
    t.is(asksFor(asked.page), 'identifier')
    const second = await enterPassword(person, asked.page, user)
    t.is(asksFor(second), 'second-factor')
    t.is((await asked.claims(await go(person, second, { code: await factor.code() })))?.acr, twoFactors)
  }
})

test('what is asked for voluntarily and cannot be given is answered with what can', async t => {
  const user = await makeUser(server)
  const { person } = await portal.signIn({ who: user })
  for (const acr_values of [`${twoFactors} ${oneFactor}`, `phr ${twoFactors} ${oneFactor}`, 'urn:example:gold', oneFactor]) {
    const { page, claims } = await open(person, portal, { acr_values })
    t.is((await claims(page))?.acr, oneFactor, acr_values)
  }
})

test('a class is told as it was asked for, of those that hold', async t => {
  const user = await makeUser(server)
  const factor = await enrolTotp(server, user)
  const person = createPerson()
  const second = await enterPassword(person, (await open(person, portal)).page, user)
  await go(person, second, { code: await factor.code() })
  for (const [parameters, acr] of [
    [{ acr_values: oneFactor }, oneFactor],
    [essential(oneFactor), oneFactor],
    [essential('urn:example:gold', twoFactors), twoFactors],
    [{}, twoFactors],
  ] as const) {
    const { page, claims } = await open(person, portal, { ...parameters } as Record<string, string>)
    t.is((await claims(page))?.acr, acr)
  }
})

test('a client’s default_acr_values ask like acr_values', async t => {
  const careful = await makeClient(server, { metadata: { default_acr_values: [twoFactors] } })
  const user = await makeUser(server)
  const { person } = await portal.signIn({ who: user })
  await enrolTotp(server, user)
  t.is(asksFor((await open(person, careful)).page), 'second-factor')
})

test('five wrong codes and the page says to wait, for right and wrong alike', async t => {
  const user = await makeUser(server)
  const factor = await enrolTotp(server, user)
  const person = createPerson()
  let page = await enterPassword(person, (await open(person, portal)).page, user)
  for (let count = 0; count < 5; count += 1) {
    page = await person.submit(page, { code: wrongCodeOf(factor.uri) })
    t.is(page.status, 401)
  }
  const closed = await person.submit(page, { code: await factor.code() })
  t.is(closed.status, 429)
  t.true(Number(closed.headers.get('retry-after')) > 60)
  t.true(closed.body.includes('Too many attempts. Try again in'))
})

// What a person lets a client know: asked, remembered, refused, told to nobody else; and the grant of a session and a client, in which what
// requests of one moment ask for stays, and what ended makes room for another.
import test from 'ava'
import * as client from 'openid-client'
import { newGrantId } from '../../src/oidc/session-grants.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { hashOf } from '../../src/platform/secrets.ts'
import { makeClient, type TestClient } from '../support/clients.ts'
import { makeResource } from '../support/exchange.ts'
import { justBefore } from '../support/just-before.ts'
import { type Answer, createPerson, type Person } from '../support/person.ts'
import { alice, bob, redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const isConsent = (answer: Answer) => answer.body.includes('name="decision"')
const visit = async ({ request }: TestClient, { person, parameters = {} }: { person: Person; parameters?: Record<string, string> }) => {
  const made = await request(parameters)
  return { ...made, answer: await person.follow(await person.get(made.url), redirectUri) }
}
/** Signs somebody in, up to what is asked after that. */
const signedIn = async (relyingParty: TestClient, { who = bob, parameters = {} }: { who?: typeof bob; parameters?: Record<string, string> } = {}) => {
  const person = createPerson()
  const { answer, ...made } = await visit(relyingParty, { person, parameters })
  const password = await person.follow(await person.submit(answer, { username: who.email }), redirectUri)
  return { ...made, person, answer: await person.follow(await person.submit(password, { password: who.password }), redirectUri) }
}
const errorOf = ({ answer }: { answer: Answer }) => answer.location?.searchParams.get('error')

test('a first-party client is given what it asks for without a question', async t => {
  const { answer } = await signedIn(await makeClient(server))
  t.truthy(answer.location?.searchParams.get('code'))
})

test('another client is given it after consent, which is remembered in every browser, and asked again for more', async t => {
  const shop = await makeClient(server, { isFirstParty: false })
  const scope = { scope: 'openid email' }
  const first = await signedIn(shop, { parameters: scope })
  t.true(isConsent(first.answer))
  t.is(errorOf(await visit(shop, { person: first.person, parameters: { ...scope, prompt: 'none' } })), 'consent_required')
  const back = await first.person.follow(await first.person.submit(first.answer, { decision: 'allow' }), redirectUri)
  t.truthy(await client.authorizationCodeGrant(shop.configuration, back.location as URL, first.checks))

  t.truthy((await visit(shop, { person: first.person, parameters: { ...scope, prompt: 'none' } })).answer.location?.searchParams.get('code'))
  const { person, answer } = await signedIn(shop, { parameters: scope })
  t.truthy(answer.location?.searchParams.get('code'))
  t.truthy((await visit(shop, { person, parameters: { scope: 'openid' } })).answer.location?.searchParams.get('code'))

  const more = await visit(shop, { person, parameters: { scope: 'openid email profile' } })
  t.true(isConsent(more.answer))
  t.is(errorOf(await visit(shop, { person, parameters: { scope: 'openid email profile', prompt: 'none' } })), 'consent_required')
})

test('the consent of one person is not that of another', async t => {
  const shop = await makeClient(server, { isFirstParty: false })
  await shop.signIn()
  t.true(isConsent((await signedIn(shop, { who: alice })).answer))
})

test('prompt=consent asks again', async t => {
  const shop = await makeClient(server, { isFirstParty: false })
  const { person } = await shop.signIn()
  const { answer } = await visit(shop, { person, parameters: { prompt: 'consent' } })
  t.true(isConsent(answer))
})

test('consent that is given while everything of the person ends is neither kept nor told of', async t => {
  const shop = await makeClient(server, { isFirstParty: false })
  const who = await makeUser(server)
  const { person, answer } = await signedIn(shop, { who })
  const { database } = server.resources
  const { uid } = await database.prisma.oidcArtifact.findFirstOrThrow({ where: { accountId: who.id, kind: 'Session' } })
  const key = hashOf('Grant', newGrantId({ uid: uid ?? '', accountId: who.id }, shop))
  const end = () =>
    server.services.change(systemActor, async (tx, record) => {
      await server.services.endAccess(tx, who.id)
      record('user.sessions_ended', { id: who.id, email: who.email })
    })
  // The session was looked at, and nothing is kept yet.
  const hasEnded = justBefore(database, 'artifact-find', end, ([keys]) => Array.isArray(keys) && keys.some(one => key.equals(one)))
  const refused = await person.submit(answer, { decision: 'allow' })
  t.true(hasEnded())
  t.not(refused.status, 303)
  t.is(await database.prisma.oidcArtifact.count({ where: { accountId: who.id, kind: 'Grant', revokedAt: null } }), 0)
  t.is(await database.prisma.auditEvent.count({ where: { action: 'consent.granted', actorId: who.id } }), 0)
  t.true(isConsent((await signedIn(shop, { who })).answer))
})

test('a person who denies goes back with access_denied, and nothing is remembered', async t => {
  const shop = await makeClient(server, { isFirstParty: false })
  const { person, answer } = await signedIn(shop)
  const back = await person.follow(await person.submit(answer, { decision: 'deny' }), redirectUri)
  t.is(back.location?.searchParams.get('error'), 'access_denied')
  t.true(isConsent((await visit(shop, { person })).answer))
})

test('consent without the token of its form is refused', async t => {
  const shop = await makeClient(server, { isFirstParty: false })
  const { person, answer } = await signedIn(shop)
  const refused = await person.post(new URL(`${answer.url.pathname}/consent`, answer.url), { csrf: 'forged', decision: 'allow' })
  t.is(refused.status, 403)
  t.true(isConsent((await visit(shop, { person })).answer))
})

test('«use another account» lets somebody else sign in, and it is they who are told of', async t => {
  const shop = await makeClient(server, { isFirstParty: false })
  const { person, answer, checks } = await signedIn(shop)
  let page = await person.follow(await person.press(answer, '/switch"'), redirectUri)
  page = await person.follow(await person.submit(page, { username: alice.email }), redirectUri)
  page = await person.follow(await person.submit(page, { password: alice.password }), redirectUri)
  if (page.body.includes('name="xsrf"')) page = await person.follow(await person.press(page, 'name="xsrf"'), redirectUri)
  t.true(isConsent(page))
  const back = await person.follow(await person.submit(page, { decision: 'allow' }), redirectUri)
  const tokens = await client.authorizationCodeGrant(shop.configuration, back.location as URL, checks)
  const told = await client.fetchUserInfo(shop.configuration, tokens.access_token, tokens.claims()?.sub ?? '')
  t.is(told.email, alice.email)
})

test('the claims parameter puts single claims into the ID token and userinfo', async t => {
  const relyingParty = await makeClient(server)
  const claims = JSON.stringify({ id_token: { email: { essential: true } }, userinfo: { name: null } })
  const { tokens } = await relyingParty.signIn({ parameters: { scope: 'openid', claims } })
  const told = await client.fetchUserInfo(relyingParty.configuration, tokens.access_token, tokens.claims()?.sub ?? '')
  t.is(tokens.claims()?.email, bob.email)
  t.is(tokens.claims()?.name, undefined)
  t.is(told.name, 'Bob Member')
  t.is(told.email, undefined)
})

test('a claims parameter that is no JSON, or asks for another subject, is refused', async t => {
  const relyingParty = await makeClient(server)
  const { person } = await relyingParty.signIn()
  t.is(errorOf(await visit(relyingParty, { person, parameters: { claims: '{', prompt: 'none' } })), 'invalid_request')
  const claims = JSON.stringify({ id_token: { sub: { value: 'somebody-else' } } })
  t.is(errorOf(await visit(relyingParty, { person, parameters: { claims, prompt: 'none' } })), 'login_required')
})

const redeem = ({ configuration }: TestClient, back: URL | undefined, { checks }: Awaited<ReturnType<TestClient['request']>>) =>
  client.authorizationCodeGrant(configuration, back as URL, checks)
const authorize = async (by: TestClient, person: Person) => {
  const made = await by.request()
  return redeem(by, (await person.follow(await person.get(made.url), redirectUri)).location, made)
}
const words = (scope: string | undefined) => scope?.split(' ').sort()
const signOut = async ({ configuration }: TestClient, person: Person) => {
  const page = await person.get(client.buildEndSessionUrl(configuration))
  // «Stay signed in»: the client alone is signed out.
  await person.press(page, 'xsrf')
}

test('requests of one session for different scopes at once give each its own', async t => {
  const [app, who, resource] = [await makeClient(server), await makeUser(server), await makeResource(server)]
  const { person } = await app.signIn({ who, parameters: { scope: 'openid' } })
  const asked = ['email', 'profile', 'organizations', 'email profile', 'read', 'write', 'admin read'].map(scope => `openid ${scope}`)
  const made = await Promise.all(asked.map(scope => app.request({ scope, ...(/read|write/.test(scope) ? { resource } : {}) })))
  const back = await Promise.all(made.map(({ url }) => person.get(url)))
  for (const [n, scope] of asked.entries()) {
    const { scope: given, access_token } = await redeem(app, back[n]?.location, made[n] as (typeof made)[0])
    t.deepEqual(
      words(given),
      words(scope)?.filter(word => word !== 'openid' || !/read|write/.test(scope)),
    )
    t.true((await client.tokenIntrospection(app.configuration, access_token)).active)
  }
})

test('consents of one session to different scopes at once give each its own', async t => {
  const [app, who] = [await makeClient(server, { isFirstParty: false }), await makeUser(server)]
  const { person } = await (await makeClient(server)).signIn({ who })
  const asked = ['openid email', 'openid profile', 'openid organizations']
  const made = await Promise.all(asked.map(scope => app.request({ scope, claims: JSON.stringify({ userinfo: { locale: null } }) })))
  const pages = []
  for (const { url } of made) pages.push(await person.follow(await person.get(url), redirectUri))
  const decided = await Promise.all(pages.map(page => person.submit(page, { decision: 'allow' })))
  const back: URL[] = []
  for (const one of decided) back.push((await person.follow(one, redirectUri)).location as URL)
  for (const [n, scope] of asked.entries()) t.deepEqual(words((await redeem(app, back[n], made[n] as (typeof made)[0])).scope), words(scope))
})

test('a client that revoked its refresh token and signed out has living tokens at the next sign-in, however often', async t => {
  const [app, who] = [await makeClient(server), await makeUser(server)]
  let { person, tokens }: { person: Person; tokens: { refresh_token?: string; access_token?: string } } = await app.signIn({ who })
  for (let n = 0; n < 6; n += 1) {
    await client.tokenRevocation(app.configuration, tokens.refresh_token ?? '')
    await signOut(app, person)
    tokens = await authorize(app, person)
    t.true((await client.tokenIntrospection(app.configuration, tokens.access_token ?? '')).active)
  }
})

for (const isFirstParty of [true, false])
  test(`a client whose consent was taken back begins anew in the same session, also after others (first party: ${isFirstParty})`, async t => {
    const [app, other, who] = [await makeClient(server, { isFirstParty }), await makeClient(server), await makeUser(server)]
    const { person } = await app.signIn({ who })
    for (let n = 0; n < 2; n += 1) {
      await server.services.consents.revoke(systemActor, { userId: who.id, clientId: app.clientId })
      await authorize(other, person)
      // Consent that is remembered from another browser is not asked for again.
      if (!isFirstParty) await app.signIn({ who, person: createPerson() })
      t.truthy((await authorize(app, person)).access_token)
    }
  })

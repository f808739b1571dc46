// The grant of a session and a client: what requests of one moment ask for stays in it, and what ended makes room for another.
import test from 'ava'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { makeClient, type TestClient } from '../support/clients.ts'
import { makeResource } from '../support/exchange.ts'
import { createPerson, type Person } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

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

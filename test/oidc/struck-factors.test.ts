// What was proven by a factor that is removed counts no more, wherever it was on its way at that moment.
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { answerAll, ask, makeTill, redeem } from '../support/ciba.ts'
import { makeClient, refusal, type TestClient } from '../support/clients.ts'
import { asksFor, enterPassword, essential, go, oneFactor, open, twoFactors } from '../support/factor-journeys.ts'
import { enrolTotp } from '../support/factors.ts'
import { createPerson, type Person } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
let portal: TestClient
test.before(async () => {
  server = await startServer()
  portal = await makeClient(server)
})
test.after.always(() => server?.close())

/** The user with an authenticator app. */
const withFactor = async (user: Awaited<ReturnType<typeof makeUser>>) => {
  const factor = await enrolTotp(server, user)
  const remove = async () => {
    const found = await server.services.users.find(user.id)
    if (found) await server.services.authenticators.remove(systemActor, { user: found, id: factor.factorId })
  }
  return { ...user, factor, remove }
}
const makeHolder = async () => withFactor(await makeUser(server))
type Holder = Awaited<ReturnType<typeof makeHolder>>

/** Proves both factors in an interaction whose page of the password this is. */
const prove = async (person: Person, page: Awaited<ReturnType<Person['get']>>, who: Holder) =>
  person.submit(await enterPassword(person, page, who), { code: await who.factor.code() })

test('a code that was issued before is refused', async t => {
  const who = await makeHolder()
  const person = createPerson()
  const asked = await open(person, portal, { scope: 'openid offline_access' })
  const back = await person.follow(await prove(person, asked.page, who), redirectUri)
  await who.remove()
  t.is(await refusal(asked.redeem(back)), 'invalid_grant')
})

test('a device that was let in before gets nothing', async t => {
  const who = await makeHolder()
  const television = await makeClient(server, { authenticationMethod: 'none', grantTypes: ['urn:ietf:params:oauth:grant-type:device_code'] })
  const device = await client.initiateDeviceAuthorization(television.configuration, { scope: 'openid' })
  const person = createPerson()
  const confirm = await person.submit(await person.get(`${server.issuer}/device`), { user_code: device.user_code })
  const page = await person.follow(await person.press(confirm, 'name="confirm"'), redirectUri)
  await person.follow(await prove(person, page, who), redirectUri)
  await who.remove()
  t.is(await refusal(client.pollDeviceAuthorizationGrant(television.configuration, { ...device, interval: 1 })), 'invalid_grant')
})

test('what a client asked elsewhere and was approved before is refused', async t => {
  const who = await makeUser(server)
  const till = await makeTill(server)
  const asked = await ask(till, { login_hint: who.email })
  await answerAll(server, who, 'approve')
  const { remove } = await withFactor(who)
  await server.resources.database.pool.query(`UPDATE backchannel_requests SET amr = '{pwd,otp,mfa}', acr = $2 WHERE account_id = $1`, [who.id, twoFactors])
  await remove()
  t.is(await refusal(redeem(till, asked)), 'invalid_grant')
})

test('a sign-in that was proven before, and not taken up yet, is asked for again', async t => {
  const who = await makeHolder()
  const person = createPerson()
  const asked = await open(person, portal)
  const onTheWay = await prove(person, asked.page, who)
  await who.remove()
  const page = await person.follow(onTheWay, redirectUri)
  t.is(asksFor(page), 'identifier')
  t.like(await asked.claims(await enterPassword(person, page, who)), { acr: oneFactor, amr: ['pwd'] })
})

test('whoever consents afterwards does not bring the factor back into the session', async t => {
  const who = await makeHolder()
  const shop = await makeClient(server, { isFirstParty: false })
  const person = createPerson()
  const asked = await open(person, shop)
  const consent = await person.follow(await prove(person, asked.page, who), redirectUri)
  t.regex(consent.body, /name="decision"/)
  await who.remove()
  t.like(await asked.claims(await go(person, consent, { decision: 'allow' })), { acr: oneFactor, amr: ['pwd'] })
})

test('a factor that is enrolled afterwards counts, also in a session of before', async t => {
  const who = await makeHolder()
  const person = createPerson()
  const { page } = await open(person, portal)
  await person.follow(await prove(person, page, who), redirectUri)
  await who.remove()
  await sleep(3100)
  const { code } = await enrolTotp(server, who)
  const asked = await open(person, portal, essential(twoFactors))
  t.is(asksFor(asked.page), 'second-factor')
  const tokens = await asked.redeem(await go(person, asked.page, { code: await code() }))
  t.like(tokens.claims(), { acr: twoFactors, amr: ['pwd', 'otp', 'mfa'] })
  t.like((await client.refreshTokenGrant(portal.configuration, tokens.refresh_token ?? '')).claims(), { acr: twoFactors })
})

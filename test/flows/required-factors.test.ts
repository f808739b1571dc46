// Second factors that are required: enrolled in the sign-in itself, and no older sign-in counts for more than it was.
import test from 'ava'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { makeClient, refusal, type TestClient } from '../support/clients.ts'
import {
  asksFor,
  codesOn,
  enterPassword,
  errorOf,
  essential,
  go,
  hiddenOf,
  makeMember,
  oneFactor,
  open,
  saveCodes,
  scan,
  twoFactors,
} from '../support/factor-journeys.ts'
import { codeOf, enrolTotp, wrongCodeOf } from '../support/factors.ts'
import { createPerson } from '../support/person.ts'
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

test('an essential class leads whoever has no factor through its enrolment, and who leaves is told unmet', async t => {
  const user = await makeUser(server)
  const person = createPerson()
  const asked = await open(person, portal, essential(twoFactors))
  const enrolment = await enterPassword(person, asked.page, user)
  t.is(asksFor(enrolment), 'enrol')
  const left = await person.follow(await person.press(enrolment, '/cancel"'), redirectUri)
  t.is(errorOf(left), 'unmet_authentication_requirements')
  const again = await open(person, portal, essential(twoFactors))
  const page = await enterPassword(person, again.page, user)
  const seed = scan(page)
  const wrong = await person.submit(page, { code: wrongCodeOf(seed) })
  t.is(wrong.status, 400)
  t.is(scan(wrong), seed, 'the same code is shown again')
  const codes = await go(person, wrong, { code: codeOf(seed) })
  t.is(asksFor(codes), 'recovery-codes')
  t.is(codesOn(codes).length, 10)
  const unticked = await person.post(codes.url, { ...hiddenOf(codes) })
  t.deepEqual(codesOn(unticked), codesOn(codes))
  const told = await again.claims(await saveCodes(person, codes))
  t.like(told, { acr: twoFactors, amr: ['pwd', 'otp', 'mfa'] })
})

test('an organization that requires a factor is not entered by its members without one', async t => {
  const { user, entrance } = await makeMember(server, { isMfaRequired: true })
  const { person } = await portal.signIn({ who: user })
  t.is(errorOf((await open(person, entrance, { prompt: 'none' })).page), 'interaction_required')
  const { page, claims } = await open(person, entrance, {})
  t.is(asksFor(page), 'enrol')
  const codes = await go(person, page, { code: codeOf(scan(page)) })
  t.is((await claims(await saveCodes(person, codes)))?.acr, twoFactors)
})

test('who stays signed in for long signs in again before a factor is enrolled', async t => {
  const { user, entrance } = await makeMember(server, { isMfaRequired: true })
  const { person } = await portal.signIn({ who: user })
  await server.resources.database.pool.query(
    `UPDATE oidc_artifacts SET payload = jsonb_set(payload::jsonb, '{loginTs}', ((payload->>'loginTs')::int - 400)::text::jsonb)::json WHERE kind = 'Session' AND account_id = $1`,
    [user.id],
  )
  t.is(asksFor((await open(person, entrance, {})).page), 'identifier')
})

test('a refresh token of a sign-in with one factor dies when its organization requires two', async t => {
  const { user, organization, entrance } = await makeMember(server, { isMfaRequired: false })
  const { tokens } = await entrance.signIn({ who: user })
  await server.services.organizations.update(systemActor, organization.id, { isMfaRequired: true })
  await new Promise(resolve => setTimeout(resolve, 1100))
  t.is(await refusal(client.refreshTokenGrant(entrance.configuration, tokens.refresh_token ?? '')), 'invalid_grant')
})

test('a factor that is removed leaves no class behind, neither in the session nor in a refresh token', async t => {
  const user = await makeUser(server)
  const factor = await enrolTotp(server, user)
  const person = createPerson()
  const asked = await open(person, portal)
  const tokens = await asked.redeem(await go(person, await enterPassword(person, asked.page, user), { code: await factor.code() }))
  const found = await server.services.users.find(user.id)
  if (found) await server.services.authenticators.remove(systemActor, { user: found, id: factor.factorId })
  const refreshed = await client.refreshTokenGrant(portal.configuration, tokens.refresh_token ?? '')
  t.like(refreshed.claims(), { acr: oneFactor, amr: ['pwd'] })
  t.is((await client.tokenIntrospection(portal.configuration, tokens.access_token)).acr, oneFactor)
  const quiet = await open(person, portal)
  t.like(await quiet.claims(quiet.page), { acr: oneFactor, amr: ['pwd'] })
})

test('introspection says how and when the person signed in, and userinfo does not', async t => {
  const user = await makeUser(server)
  const { tokens } = await portal.signIn({ who: user })
  const told = await client.tokenIntrospection(portal.configuration, tokens.access_token)
  t.like(told, { acr: oneFactor, auth_time: tokens.claims()?.auth_time })
  const userinfo = await client.fetchUserInfo(portal.configuration, tokens.access_token, tokens.claims()?.sub ?? '')
  t.is(userinfo.acr, undefined)
  t.is(userinfo.amr, undefined)
})

test('discovery names the classes', async t => {
  t.deepEqual(portal.configuration.serverMetadata().acr_values_supported, [oneFactor, twoFactors])
})

test('a device is signed in with both factors too', async t => {
  const user = await makeUser(server)
  const factor = await enrolTotp(server, user)
  const television = await makeClient(server, { authenticationMethod: 'none', grantTypes: ['urn:ietf:params:oauth:grant-type:device_code'] })
  const device = await client.initiateDeviceAuthorization(television.configuration, { scope: 'openid' })
  const person = createPerson()
  const confirm = await person.submit(await person.get(`${server.issuer}/device`), { user_code: device.user_code })
  const second = await enterPassword(person, await person.follow(await person.press(confirm, 'name="confirm"'), redirectUri), user)
  t.is(asksFor(second), 'second-factor')
  await go(person, second, { code: await factor.code() })
  const tokens = await client.pollDeviceAuthorizationGrant(television.configuration, { ...device, interval: 1 })
  t.like(tokens.claims(), { acr: twoFactors, amr: ['pwd', 'otp', 'mfa'] })
})

test('an app that is removed takes nothing from a session that was proven otherwise', async t => {
  const user = await makeUser(server)
  const { person, tokens } = await portal.signIn({ who: user })
  const { factorId } = await enrolTotp(server, user)
  const strong = JSON.stringify(['swk', 'user', 'mfa'])
  await server.resources.database.pool.query(
    `UPDATE oidc_artifacts SET payload = jsonb_set(payload::jsonb, '{amr}', $2::jsonb)::json WHERE account_id = $1 AND kind = 'Session'`,
    [user.id, strong],
  )
  const found = await server.services.users.find(user.id)
  if (found) await server.services.authenticators.remove(systemActor, { user: found, id: factorId })
  const quiet = await open(person, portal)
  t.like(await quiet.claims(quiet.page), { acr: twoFactors, amr: ['swk', 'user', 'mfa'], sub: tokens.claims()?.sub })
})

test('an app is removed also where a token holds what a client sent, U+0000 included', async t => {
  const user = await makeUser(server)
  const { factorId } = await enrolTotp(server, user)
  const found = await server.services.users.find(user.id)
  await server.resources.database.pool.query(
    `WITH granted AS (INSERT INTO oidc_artifacts (key, kind, payload, grant_id, account_id) VALUES ($1, 'Grant', '{}', $3, $3))
     INSERT INTO oidc_artifacts (key, kind, payload, grant_id) VALUES ($2, 'RefreshToken', '{"nonce":"\\u0000","amr":["pwd","otp","mfa"]}', $3)`,
    [Buffer.from(`grant ${user.id}`), Buffer.from(`token ${user.id}`), user.id],
  )
  if (found) await server.services.authenticators.remove(systemActor, { user: found, id: factorId })
  const { rows } = await server.resources.database.pool.query("SELECT 1 FROM oidc_artifacts WHERE kind = 'RefreshToken' AND grant_id = $1", [user.id])
  t.is(rows.length, 0)
})

// Second factors that are required, a passkey or a code: asked for wherever two are demanded, enrolled in the sign-in itself, and no
// older sign-in counts for more than it was.
import test from 'ava'
import { decodeJwt } from 'jose'
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
  tokenFor,
  twoFactors,
} from '../support/factor-journeys.ts'
import { codeOf, enrolTotp, wrongCodeOf } from '../support/factors.ts'
import { addPasskey, makePasskeyHolder, optionsOf, sendPasskey, usePasskey } from '../support/passkey-journeys.ts'
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

test('a plain OAuth request steps up as one of OpenID Connect does, and its access token says so', async t => {
  const user = await makeUser(server)
  const factor = await enrolTotp(server, user)
  const { configuration, request } = portal
  const { url, verifier, checks } = await request({ scope: 'read', resource: 'http://localhost:4000/api/es256', acr_values: twoFactors, max_age: '1000' })
  url.searchParams.delete('nonce')
  const person = createPerson()
  const second = await enterPassword(person, await person.follow(await person.get(url), redirectUri), user)
  const { location } = await go(person, second, { code: await factor.code() })
  const asked = { pkceCodeVerifier: verifier, expectedState: checks.expectedState }
  const tokens = await client.authorizationCodeGrant(configuration, location as URL, asked)
  t.is(tokens.id_token, undefined)
  const told = decodeJwt(tokens.access_token)
  t.like(told, { scope: 'read', acr: twoFactors, amr: ['pwd', 'otp', 'mfa'] })
  t.true(Math.abs(Number(told.auth_time) - Date.now() / 1000) < 60)
  t.like(await client.tokenIntrospection(configuration, tokens.access_token), { acr: twoFactors, auth_time: told.auth_time })
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

const amr = ['pwd', 'hwk', 'user', 'mfa']

/** Somebody with a passkey whom a request for two factors stopped after the password. */
const stopped = async (given: { hasCodes?: boolean } = {}) => {
  const holder = await makePasskeyHolder(server, given)
  const person = createPerson()
  const asked = await open(person, portal, essential(twoFactors))
  return { holder, person, asked, page: await enterPassword(person, asked.page, holder) }
}

test('whoever has a passkey and a stolen password’s thief enrols no app: the passkey is asked for', async t => {
  const { holder, person, asked, page } = await stopped()
  t.is(asksFor(page), 'second-factor')
  t.regex(page.body, /<form [^>]*action="[^"]+\/second-factor\/passkey" data-passkey="[^"]+\/second-factor\/passkey\/options" hidden>/)
  t.regex(page.body, /Use your passkey/)
  t.regex(page.body, /<noscript><p class="aside">[^<]*JavaScript/)
  t.false(page.body.includes('name="code"'))
  const enrolment = new URL(page.url.pathname.replace('second-factor', 'enrol'), page.url)
  t.is(asksFor(await person.follow(await person.get(enrolment), redirectUri)), 'second-factor')
  t.like(await asked.claims(await usePasskey(person, page, holder.authenticator)), { sub: holder.id, acr: twoFactors, amr })
})

test('an organization that requires a factor asks for the passkey, also in a step up, and a passkey alone asks nobody at a sign-in', async t => {
  const { user, entrance } = await makeMember(server, { isMfaRequired: true })
  const authenticator = await addPasskey(server, user)
  const { person, tokens } = await portal.signIn({ who: user })
  t.like(tokens.claims(), { acr: oneFactor, amr: ['pwd'] })
  const { page, claims } = await open(person, entrance)
  t.is(asksFor(page), 'second-factor')
  t.like(await claims(await usePasskey(person, page, authenticator)), { acr: twoFactors, amr, auth_time: tokens.claims()?.auth_time })
})

test('the passkey stands beside the code of whoever has both, and either is enough', async t => {
  const user = await makeUser(server)
  const [authenticator, factor] = [await addPasskey(server, user), await enrolTotp(server, user)]
  const person = createPerson()
  const first = await open(person, portal)
  const page = await enterPassword(person, first.page, user)
  t.true(page.body.includes('name="code"') && page.body.includes('data-passkey='))
  t.deepEqual((await first.claims(await usePasskey(person, page, authenticator)))?.amr, amr)
  const again = createPerson()
  const second = await open(again, portal)
  const codes = await enterPassword(again, second.page, user)
  t.deepEqual((await second.claims(await go(again, codes, { code: await factor.code() })))?.amr, ['pwd', 'otp', 'mfa'])
})

test('a recovery code takes the place of a passkey', async t => {
  const { holder, person, asked, page } = await stopped({ hasCodes: true })
  const other = await person.get(new URL(/href="([^"]+\/recovery-code)"/.exec(page.body)?.[1] ?? '', server.issuer))
  t.true(other.body.includes('data-passkey='))
  t.deepEqual((await asked.claims(await go(person, other, { code: holder.codes[0] ?? '' })))?.amr, ['pwd', 'otp', 'mfa'])
})

test('a passkey that did not know the person, is somebody else’s, was used before or belongs to another sign-in is refused', async t => {
  const { holder, person, page } = await stopped()
  const [stranger, elsewhere] = [await makePasskeyHolder(server), await stopped()]
  const { options } = await optionsOf(person, page)
  t.is(options.userVerification, 'required')
  t.deepEqual(options.allowCredentials.length, 1)
  const wrong: Readonly<Record<string, () => Promise<unknown>>> = {
    'without knowing the person': async () => holder.authenticator.get((await optionsOf(person, page)).options, { flags: { uv: false } }),
    'of somebody else': async () => stranger.authenticator.get((await optionsOf(person, page)).options),
    'of another interaction': async () => holder.authenticator.get((await optionsOf(elsewhere.person, elsewhere.page)).options),
    'of a sign-in by passkey': async () => {
      const address = new URL(`${page.url.pathname.replace('second-factor', 'passkey')}/options`, page.url)
      const csrf = await tokenFor(person, page, '/passkey')
      return holder.authenticator.get(JSON.parse((await person.post(address, { csrf })).body))
    },
    'no JSON': async () => '{"id":',
  }
  for (const [name, answer] of Object.entries(wrong)) {
    const refused = await sendPasskey(person, page, await answer())
    t.is(refused.status, 401, name)
    t.regex(refused.body, /role="alert"/, name)
  }
  const right = holder.authenticator.get(options)
  t.is((await sendPasskey(person, page, right)).status, 303)
  t.not((await sendPasskey(person, page, right)).status, 200)
  t.is((await optionsOf(createPerson(), elsewhere.page)).status, 404)
})

test('the answer of one person’s factor is nothing for somebody else who signs in meanwhile', async t => {
  const { holder, person, page } = await stopped()
  const other = await makePasskeyHolder(server)
  const { options } = await optionsOf(person, page)
  const identifier = await person.get(new URL(page.url.pathname.replace('second-factor', 'identifier'), page.url))
  const next = await enterPassword(person, identifier, other)
  t.is(asksFor(next), 'second-factor')
  t.is((await sendPasskey(person, next, holder.authenticator.get(options))).status, 401)
})

test('acr_values with both classes are a wish, and with the second alone a demand', async t => {
  const [holder, nobody] = [await makePasskeyHolder(server), await makeUser(server)]
  for (const acr_values of [`${twoFactors} ${oneFactor}`, `${oneFactor} ${twoFactors}`]) {
    const person = createPerson()
    const wished = await open(person, portal, { acr_values })
    t.is(asksFor(await enterPassword(person, wished.page, holder)), 'second-factor', acr_values)
    const other = createPerson()
    const easy = await open(other, portal, { acr_values })
    t.is((await easy.claims(await enterPassword(other, easy.page, nobody)))?.acr, oneFactor, acr_values)
  }
  const careful = await makeClient(server, { metadata: { default_acr_values: [twoFactors] } })
  for (const [entrance, parameters] of [
    [portal, { acr_values: twoFactors }],
    [portal, { acr_values: `phr ${twoFactors}` }],
    [careful, {}],
  ] as const) {
    const { person } = await portal.signIn({ who: nobody })
    t.is(errorOf((await open(person, entrance, { ...parameters, prompt: 'none' })).page), 'interaction_required')
    const asked = await open(person, entrance, { ...parameters })
    t.is(asksFor(asked.page), 'enrol')
    t.is(errorOf(await person.follow(await person.press(asked.page, '/cancel"'), redirectUri)), 'unmet_authentication_requirements')
  }
  const person = createPerson()
  const asked = await open(person, careful)
  const enrolment = await enterPassword(person, asked.page, nobody)
  const seed = (/href="(otpauth:[^"]+)"/.exec(enrolment.body)?.[1] ?? '').replaceAll('&amp;', '&')
  t.is(asksFor(await go(person, enrolment, { code: codeOf(seed) })), 'recovery-codes')
})

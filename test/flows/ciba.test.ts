// Backchannel authentication (OpenID Connect CIBA Core 1.0): a client asks, the person answers at their own account, the client has its tokens.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { decodeJwt } from 'jose'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { answerAll, ask, cibaGrant, idsOn, listenForPings, makeTill, openRequests, redeem } from '../support/ciba.ts'
import { refusal, type TestClient } from '../support/clients.ts'
import { makeResource } from '../support/exchange.ts'
import { enterPassword, essential, hiddenOf, twoFactors } from '../support/factor-journeys.ts'
import { enrolTotp } from '../support/factors.ts'
import { linkOf, mailTo, subjectsTo } from '../support/mails.ts'
import { makeOrganizationOf } from '../support/organizations.ts'
import { createPerson } from '../support/person.ts'
import { together } from '../support/race.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
let ears: Awaited<ReturnType<typeof listenForPings>>[] = []
test.before(async () => {
  ears = await Promise.all([listenForPings([503, 204]), listenForPings([302])])
  server = await startServer({ world: ears.map(({ standing }) => standing) })
})
test.after.always(async () => {
  await server?.close()
  for (const ear of ears) ear.close()
})
const makeNotified = (ear: (typeof ears)[number] | undefined) =>
  makeTill(server, { metadata: { backchannel_token_delivery_mode: 'ping', backchannel_client_notification_endpoint: ear?.url } })

const rowOf = (accountId: string) => server.resources.database.prisma.backchannelRequest.findFirstOrThrow({ where: { accountId } })

test.serial('a client asks, the person approves what they are shown, and the client that polls has its tokens', async t => {
  const till = await makeTill(server)
  const user = await makeUser(server)
  const asked = await ask(till, { login_hint: user.email.toUpperCase(), binding_message: 'TX 4711' })
  t.is(asked.interval, 5)
  t.is(asked.expires_in, 300)
  t.true(asked.auth_req_id.length >= 43)
  t.is(await refusal(redeem(till, asked)), 'authorization_pending')

  const { page } = await openRequests(server, user)
  for (const shown of ['Till 4', 'TX 4711', 'See your email address']) t.true(page.body.includes(shown), shown)
  const done = await answerAll(server, user, 'approve')
  t.true(done.body.includes('You approved the request.'))
  t.deepEqual(idsOn(done), [])

  const tokens = await client.pollBackchannelAuthenticationGrant(till.configuration, { ...asked, interval: 1 })
  const claims = decodeJwt(tokens.id_token ?? '')
  t.is(claims.sub, user.id)
  t.is(claims.acr, 'urn:authy2:acr:1')
  t.deepEqual(claims.amr, ['pwd'])
  t.true(Number(claims.auth_time) > 0)
  t.is(tokens.scope, 'openid email')
  t.is(tokens.refresh_token, undefined)
  t.is((await client.fetchUserInfo(till.configuration, tokens.access_token, user.id)).email, user.email)
  t.is(await refusal(redeem(till, asked)), 'invalid_grant')
  t.is((await client.fetchUserInfo(till.configuration, tokens.access_token, user.id)).sub, user.id)
})

test('what is asked of a resource server is told by its name and in its words', async t => {
  const [till, user, resource] = [await makeTill(server), await makeUser(server), await makeResource(server)]
  await server.resources.database.pool.query('UPDATE resource_servers SET scope_descriptions = $2 WHERE identifier = $1', [
    resource,
    { read: 'Read your receipts' },
  ])
  await ask(till, { login_hint: user.email, scope: 'openid offline_access read write', resource })
  const { page } = await openRequests(server, user)
  for (const shown of [`In <bdi>R (${resource})</bdi>`, 'Read your receipts', '<bdi>write</bdi>', 'It keeps this access'])
    t.true(page.body.includes(shown), shown)
  t.false(page.body.includes('offline_access'))
})

test.serial('what was approved elsewhere is not remembered where the client signs the person in: consent is asked', async t => {
  const user = await makeUser(server)
  const till = await makeTill(server, { grantTypes: [cibaGrant, 'authorization_code', 'refresh_token'] })
  const asked = await ask(till, { login_hint: user.email })
  await answerAll(server, user, 'approve')
  t.truthy((await redeem(till, asked)).access_token)
  const { person } = await openRequests(server, user)
  const made = await till.request({ scope: 'openid email', prompt: 'none' })
  const back = await person.follow(await person.get(made.url), redirectUri)
  t.is(back.location?.searchParams.get('error'), 'consent_required')
})

test.serial('a person who denies is told of no more, and the client is told so', async t => {
  const till = await makeTill(server)
  const user = await makeUser(server)
  const asked = await ask(till, { login_hint: user.email })
  t.true((await answerAll(server, user, 'deny')).body.includes('You denied the request.'))
  t.is(await refusal(redeem(till, asked)), 'access_denied')
  t.deepEqual(idsOn((await openRequests(server, user)).page), [])
})

test.serial('the person is told by mail, which leads to their account and answers nothing itself, and by every page of the account', async t => {
  const till = await makeTill(server)
  const user = await makeUser(server)
  const asked = await ask(till, { login_hint: user.email, binding_message: 'call 555-0100 now' })
  const mail = await mailTo(server, user.email, 'Till 4 asks you to approve something')
  t.is(linkOf(mail).href, `${server.issuer}/account/requests`)
  t.false(mail.text.includes('555-0100'))
  const { person } = await openRequests(server, user)
  const profile = await person.get(`${server.issuer}/account/profile`)
  t.true(profile.body.includes('A request waits for your answer.'))
  t.is(await refusal(redeem(till, asked)), 'authorization_pending')
})

test.serial('with offline access, which the person is shown, there is a refresh token; other tokens of the person do not end it', async t => {
  const till = await makeTill(server)
  const user = await makeUser(server)
  const asked = await ask(till, { login_hint: user.email, scope: 'openid offline_access' })
  const { page, answer } = await openRequests(server, user)
  t.true(page.body.includes('It keeps this access'))
  await answer(idsOn(page)[0] ?? '', 'approve')
  const tokens = await redeem(till, asked)
  const refreshed = await client.refreshTokenGrant(till.configuration, tokens.refresh_token ?? '')
  t.truthy(refreshed.access_token)
})

test.serial('twenty answers at once are one, and twenty polls at once get one set of tokens, which lives', async t => {
  const till = await makeTill(server)
  const user = await makeUser(server)
  await ask(till, { login_hint: user.email })
  const { page, answer } = await openRequests(server, user)
  const [id = ''] = idsOn(page)
  let turn = 0
  const answers = await together(20, () => answer(id, turn++ % 2 === 0 ? 'approve' : 'deny'))
  t.is(answers.filter(({ status }) => status === 303).length, 1)
  t.true(answers.every(({ status }) => status === 303 || status === 404))
  const { decision } = await rowOf(user.id)
  const grants = await server.resources.database.prisma.oidcArtifact.count({ where: { kind: 'Grant', accountId: user.id, clientId: till.clientId } })
  t.is(grants, decision === 'approved' ? 1 : 0)

  const second = await ask(till, { login_hint: user.email })
  await answerAll(server, user, 'approve')
  const polls = await Promise.allSettled(Array.from({ length: 20 }, () => redeem(till, second)))
  const won = polls.flatMap(poll => (poll.status === 'fulfilled' ? [poll.value] : []))
  t.is(won.length, 1)
  t.is((await client.fetchUserInfo(till.configuration, won[0]?.access_token ?? '', user.id)).sub, user.id)
})

test.serial('only so many requests wait for one person, however many are asked at once', async t => {
  const till = await makeTill(server)
  const user = await makeUser(server)
  const asked = await Promise.allSettled(Array.from({ length: 9 }, () => ask(till, { login_hint: user.email })))
  t.is(asked.filter(({ status }) => status === 'fulfilled').length, 5)
  t.is(await refusal(ask(till, { login_hint: user.email })), 'temporarily_unavailable')
  t.is(idsOn((await openRequests(server, user)).page).length, 5)
  await answerAll(server, user, 'deny')
})

test.serial('strangers who ask for a person take no places, tries or mails of other askers, and stand behind the operator’s clients on the page', async t => {
  const [user, stranger] = [await makeUser(server), await makeUser(server)]
  const makeStrangers = async (tills: number) => {
    const { id: organizationId } = await makeOrganizationOf(server, stranger.id, { role: 'owner' })
    return Promise.all(Array.from({ length: tills }, () => makeTill(server, { organizationId, name: 'Strange till' })))
  }
  const strangers = [await makeStrangers(2), await makeStrangers(1), await makeStrangers(1)]
  for (const [till, other = till] of strangers) {
    for (let count = 0; count < 5; count += 1) t.truthy(await ask(till as TestClient, { login_hint: user.email }))
    t.is(await refusal(ask(other as TestClient, { login_hint: user.email })), 'temporarily_unavailable', 'an organization has its places together')
  }
  const [[others], own] = [await makeStrangers(1), await makeTill(server)]
  await ask(others as TestClient, { login_hint: user.email, binding_message: 'of another organization' })
  await ask(own, { login_hint: user.email, binding_message: 'of the operator' })
  const mails = 'asks you to approve something'
  await mailTo(server, user.email, `Till 4 ${mails}`)
  t.is((await subjectsTo(server, user.email)).filter(subject => subject === `Strange till ${mails}`).length, 10)
  const { page } = await openRequests(server, user)
  t.is(idsOn(page).length, 17)
  const placeOf = (message: string) => idsOn({ ...page, body: page.body.slice(0, page.body.indexOf(message)) }).length
  t.is(placeOf('of the operator'), 0)
  t.is(placeOf('of another organization'), 4, 'everybody by turns')
})

test.serial('an address that is nobody’s, suspended or unproven is asked like any other and told to nobody; the operator’s own client is told', async t => {
  const stranger = await makeTill(server)
  const own = await makeTill(server, { isFirstParty: true })
  const suspended = await makeUser(server)
  await server.services.userAdministration.suspend(systemActor, suspended.id)
  const unproven = await server.services.users.create(systemActor, { email: `${randomUUID()}@people.example` })
  for (const email of [`${randomUUID()}@nobody.example`, suspended.email, unproven.email]) {
    const asked = await ask(stranger, { login_hint: email })
    t.deepEqual(Object.keys(asked).toSorted(), ['auth_req_id', 'expires_in', 'interval'])
    t.is(await refusal(redeem(stranger, asked)), 'authorization_pending')
    t.is(await refusal(ask(own, { login_hint: email })), 'unknown_user_id')
    t.deepEqual(await server.mailsTo(email), [])
  }
})

test.serial('a client that is notified hears of it with its own token, then has its tokens at once', async t => {
  const [ear] = ears
  const till = await makeNotified(ear)
  const user = await makeUser(server)
  const token = `notify-${randomUUID()}`
  const asked = await ask(till, { login_hint: user.email, client_notification_token: token })
  t.is(await refusal(redeem(till, asked)), 'authorization_pending')
  const kept = await server.resources.database.pool.query('SELECT payload::text FROM oidc_artifacts WHERE kind = $1', ['BackchannelAuthenticationRequest'])
  t.false(JSON.stringify(kept.rows).includes(token))
  t.false(JSON.stringify(await rowOf(user.id)).includes(asked.auth_req_id))
  await answerAll(server, user, 'approve')
  await until(() => ear?.pings.length === 2)
  for (const ping of ear?.pings ?? [])
    t.deepEqual(ping, { authorization: `Bearer ${token}`, contentType: 'application/json', body: { auth_req_id: asked.auth_req_id } })
  t.truthy((await redeem(till, asked)).access_token)
})

test.serial('a notification is sent of a denial too, follows no redirect, and is not repeated where it is refused', async t => {
  const [, ear] = ears
  const till = await makeNotified(ear)
  const user = await makeUser(server)
  const asked = await ask(till, { login_hint: user.email, client_notification_token: 'a-token' })
  await answerAll(server, user, 'deny')
  await until(async () => (await server.resources.database.prisma.job.count({ where: { kind: 'backchannel.ping', deadAt: { not: null } } })) === 1)
  t.is(ear?.pings.length, 1)
  t.is(await refusal(redeem(till, asked)), 'access_denied')
})

test.serial('what waits ends with the access of the person, also when they change their password', async t => {
  const till = await makeTill(server)
  const user = await makeUser(server)
  const asked = await ask(till, { login_hint: user.email })
  const { page, answer } = await openRequests(server, user)
  await server.services.change(systemActor, async (tx, record) => {
    await server.services.endAccess(tx, user.id)
    record('user.sessions_ended', { id: user.id, email: user.email })
  })
  t.is(await refusal(redeem(till, asked)), 'access_denied')
  t.notRegex((await answer(idsOn(page)[0] ?? '', 'approve')).headers.get('location') ?? '', /done=approved/)
  t.is((await rowOf(user.id)).decision, 'ended')
})

test.serial('what was approved is worth nothing once the access of the person has ended', async t => {
  const till = await makeTill(server)
  const user = await makeUser(server)
  const asked = await ask(till, { login_hint: user.email })
  await answerAll(server, user, 'approve')
  await server.services.userAdministration.suspend(systemActor, user.id)
  t.is(await refusal(redeem(till, asked)), 'invalid_grant')
})

test.serial('what a client asked ends when it is disabled, and does not come back with it', async t => {
  const till = await makeTill(server)
  const user = await makeUser(server)
  const asked = await ask(till, { login_hint: user.email })
  for (const isDisabled of [true, false]) await server.services.clientAdministration.update(systemActor, { id: till.clientId }, { isDisabled })
  t.deepEqual(idsOn((await openRequests(server, user)).page), [])
  t.is(await refusal(redeem(till, asked)), 'access_denied')
})

test.serial('of a client that is open to the members of its organization alone nobody else is told, or approves anything', async t => {
  const [owner, member, outsider] = [await makeUser(server), await makeUser(server), await makeUser(server)]
  const { id: organizationId } = await makeOrganizationOf(server, owner.id, { role: 'owner' })
  await server.services.members.add(systemActor, { organizationId, userId: member.id, role: 'member' })
  const till = await makeTill(server, { organizationId, isMembersOnly: true })
  const refused = await ask(till, { login_hint: outsider.email })
  const asked = await ask(till, { login_hint: member.email })
  t.deepEqual(idsOn((await openRequests(server, outsider)).page), [])
  await mailTo(server, member.email, 'Till 4 asks you to approve something')
  t.deepEqual(await server.mailsTo(outsider.email), [])
  t.is(await refusal(redeem(till, refused)), 'authorization_pending')

  const { page, answer } = await openRequests(server, member)
  const [id = ''] = idsOn(page)
  await server.services.members.remove(systemActor, { organizationId, userId: member.id })
  t.is((await answer(id, 'approve')).status, 404)
  await server.services.members.add(systemActor, { organizationId, userId: member.id, role: 'member' })
  t.is((await answer(id, 'approve')).status, 404, 'it does not come back with the membership')
  t.is(await refusal(redeem(till, asked)), 'access_denied')
  const again = await ask(till, { login_hint: member.email })
  await answerAll(server, member, 'approve')
  t.truthy((await redeem(till, again)).access_token)
})

test.serial('a sign-in that the client says is too old is made anew, once, before anything is approved', async t => {
  const till = await makeTill(server)
  for (const maxAge of ['0', '1']) {
    const user = await makeUser(server)
    const { person } = await openRequests(server, user)
    await sleep(1100)
    const asked = await ask(till, { login_hint: user.email, max_age: maxAge })
    await sleep(1100)
    const { page, answer } = await openRequests(server, user, person)
    const sent = await answer(idsOn(page)[0] ?? '', 'approve')
    t.is(sent.location?.pathname, '/oauth2/authorize', maxAge)
    t.is(await refusal(redeem(till, asked)), 'authorization_pending')
    const again = await enterPassword(person, await person.follow(sent, 'none:'), user)
    await sleep(1100)
    const { csrf = '' } = hiddenOf(again)
    const done = await person.post(again.url, { csrf, request: idsOn(again)[0] ?? '', decision: 'approve' })
    t.regex(done.location?.searchParams.get('done') ?? '', /^approved\./, maxAge)
    t.truthy((await redeem(till, asked)).access_token)
  }
})

test.serial('nobody answers for another, nor without the form of their own page', async t => {
  const till = await makeTill(server)
  const [user, other] = [await makeUser(server), await makeUser(server)]
  const asked = await ask(till, { login_hint: user.email })
  const [id = ''] = idsOn((await openRequests(server, user)).page)
  t.is((await (await openRequests(server, other)).answer(id, 'approve')).status, 404)
  const { person, page } = await openRequests(server, user)
  t.is((await person.post(page.url, { csrf: 'forged', request: id, decision: 'approve' })).status, 403)
  t.is((await person.get(`${page.url}?request=${id}&decision=approve`)).status, 200)
  t.is((await createPerson().post(page.url, { request: id, decision: 'approve' })).location?.pathname, '/oauth2/authorize')
  t.is(await refusal(redeem(till, asked)), 'authorization_pending')
})

test.serial('a second factor that is demanded is proven before anything is approved, and the token says so', async t => {
  const till = await makeTill(server)
  const user = await makeUser(server)
  const asked = await ask(till, { login_hint: user.email, ...essential(twoFactors) })
  const { page, answer } = await openRequests(server, user)
  const refused = await answer(idsOn(page)[0] ?? '', 'approve')
  t.is(refused.status, 403)
  t.true(refused.body.includes('A second factor is required of you'))
  t.is(await refusal(redeem(till, asked)), 'authorization_pending')

  const app = await enrolTotp(server, user)
  const { page: first, person } = await openRequests(server, user)
  t.deepEqual(idsOn(first), [])
  const proven = await person.follow(await person.submit(first, { code: await app.code() }), 'none:')
  const [id = ''] = idsOn(proven)
  t.is((await person.post(proven.url, { csrf: hiddenOf(proven).csrf ?? '', request: id, decision: 'approve' })).status, 303)
  const claims = decodeJwt((await redeem(till, asked)).id_token ?? '')
  t.is(claims.acr, twoFactors)
  t.true((claims.amr as string[]).includes('mfa'))
})

test.serial('a request is told in the audit log: asked, approved, denied', async t => {
  const till = await makeTill(server)
  const user = await makeUser(server)
  for (const decision of ['approve', 'deny'] as const) {
    await ask(till, { login_hint: user.email })
    await answerAll(server, user, decision)
  }
  const written = await server.resources.database.pool.query(
    `SELECT action, outcome FROM audit_events WHERE target_kind = 'backchannel_request' AND target::jsonb ->> 'client_id' = $1 ORDER BY occurred_at, id`,
    [till.clientId],
  )
  t.deepEqual(
    written.rows.map(({ action, outcome }) => `${action} ${outcome}`),
    ['backchannel.asked kept', 'backchannel.approved kept', 'backchannel.asked kept', 'backchannel.denied refused'],
  )
})

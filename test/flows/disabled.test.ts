// Users who are suspended and clients that are deleted or switched off: at most a second later nothing works for them.
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { makeClient, refusal } from '../support/clients.ts'
import { createPerson } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const takesEffect = () => sleep(1100)
const signedIn = async (parameters: Record<string, string> = {}) => {
  const relyingParty = await makeClient(server)
  const who = await makeUser(server)
  return { ...relyingParty, who, ...(await relyingParty.signIn({ who, parameters })) }
}
const userinfo = ({ configuration, tokens }: Awaited<ReturnType<typeof signedIn>>) =>
  client.fetchUserInfo(configuration, tokens.access_token, client.skipSubjectCheck)
const refresh = ({ configuration, tokens }: Awaited<ReturnType<typeof signedIn>>) => client.refreshTokenGrant(configuration, tokens.refresh_token ?? '')

for (const [state, change] of [
  ['suspended', { suspendedAt: new Date() }],
  ['deleted', { deletedAt: new Date() }],
] as const) {
  test(`a ${state} user gets nothing for the tokens they had`, async t => {
    const parts = await signedIn({ scope: 'openid email offline_access', prompt: 'consent' })
    t.is((await userinfo(parts)).email, parts.who.email)
    await server.resources.database.prisma.user.update({ where: { id: parts.who.id }, data: change })
    await takesEffect()
    t.is(await refusal(userinfo(parts)), 'invalid_token')
    t.is(await refusal(refresh(parts)), 'invalid_grant')
    for (const token of [parts.tokens.access_token, parts.tokens.refresh_token ?? ''])
      t.deepEqual({ ...(await client.tokenIntrospection(parts.configuration, token)) }, { active: false })
  })

  test(`a ${state} user who comes with their session is shown the sign-in page, which does not let them in`, async t => {
    const { person, request, who } = await signedIn()
    await server.resources.database.prisma.user.update({ where: { id: who.id }, data: change })
    await takesEffect()
    const silent = await person.get((await request({ prompt: 'none' })).url)
    t.is(silent.location?.searchParams.get('error'), 'login_required')
    const page = await person.follow(await person.get((await request()).url), redirectUri)
    t.is(page.status, 200)
    t.true(page.body.includes('name="username"'))
    const refused = await person.submit(await person.follow(await person.submit(page, { username: who.email }), redirectUri), { password: who.password })
    t.is(refused.status, 401)
  })

  test(`a code that was issued to a user who is then ${state} gives nothing`, async t => {
    const { person, request, who, configuration } = await signedIn()
    const made = await request()
    const answer = await person.get(made.url)
    await server.resources.database.prisma.user.update({ where: { id: who.id }, data: change })
    await takesEffect()
    t.is(await refusal(client.authorizationCodeGrant(configuration, answer.location as URL, made.checks)), 'invalid_grant')
  })

  test(`a ${state} user who stands before consent gets no further`, async t => {
    const shop = await makeClient(server, { isFirstParty: false })
    const who = await makeUser(server)
    const person = createPerson()
    let page = await person.follow(await person.get((await shop.request()).url), redirectUri)
    page = await person.follow(await person.submit(page, { username: who.email }), redirectUri)
    page = await person.follow(await person.submit(page, { password: who.password }), redirectUri)
    t.true(page.body.includes('name="decision"'))
    await server.resources.database.prisma.user.update({ where: { id: who.id }, data: change })
    await takesEffect()
    const after = await person.follow(await person.submit(page, { decision: 'allow' }), redirectUri)
    t.falsy(after.location?.searchParams.get('code'))
    t.true(after.status < 500)
  })
}

test('somebody else may sign in where a suspended user was', async t => {
  const { person, request, who, configuration } = await signedIn()
  await server.resources.database.prisma.user.update({ where: { id: who.id }, data: { suspendedAt: new Date() } })
  await takesEffect()
  const other = await makeUser(server)
  const made = await request()
  let page = await person.follow(await person.get(made.url), redirectUri)
  page = await person.follow(await person.submit(page, { username: other.email }), redirectUri)
  page = await person.follow(await person.submit(page, { password: other.password }), redirectUri)
  while (page.body.includes('name="xsrf"')) page = await person.follow(await person.press(page, 'name="xsrf"'), redirectUri)
  const tokens = await client.authorizationCodeGrant(configuration, page.location as URL, made.checks)
  t.is(tokens.claims()?.sub, other.id)
})

for (const [state, end] of [
  ['deleted', (clientId: string) => server.services.clients.remove(systemActor, clientId)],
  [
    'switched off',
    (clientId: string) => server.resources.database.prisma.client.update({ where: { clientId }, data: { disabledAt: new Date(), version: { increment: 1 } } }),
  ],
] as const)
  test(`a client that is ${state} can do nothing a second later, and its tokens end`, async t => {
    const parts = await signedIn({ scope: 'openid email offline_access', prompt: 'consent' })
    await end(parts.clientId)
    await takesEffect()
    t.is(await refusal(refresh(parts)), 'invalid_client')
    t.is(await refusal(userinfo(parts)), 'invalid_token')
    const answer = await parts.person.get((await parts.request({ prompt: 'none' })).url)
    t.is(answer.status, 400)
    t.is(answer.location, undefined)
  })

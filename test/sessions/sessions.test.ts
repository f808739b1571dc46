// Where people are signed in, as they see it: what is over is not shown, what goes on is, and what is long over is forgotten.
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { purgeSessions } from '../../src/sessions/sessions.ts'
import { password, startApi, type TestApi } from '../support/api.ts'
import { makeClient } from '../support/clients.ts'
import { createPerson } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { makeUser } from '../support/users.ts'

const home = 'http://localhost:4000/'
let api: TestApi
test.before(async () => {
  api = await startApi()
})
test.after.always(() => api?.close())

const makeSignedIn = async () => {
  const who = await makeUser(api.server, { password })
  const parts = await makeClient(api.server, { postLogoutRedirectUris: [home] })
  return { who, parts, ...(await parts.signIn({ who })) }
}
const sessionsOf = (userId: string) => api.server.services.apiSessions.list(userId, { limit: 10 })
const rowOf = (userId: string) => api.server.resources.database.prisma.session.findFirstOrThrow({ where: { userId, kind: 'browser' } })

test('who signs out on the pages is signed in there no more, and one event tells of it', async t => {
  const { who, parts, person, tokens } = await makeSignedIn()
  t.is((await sessionsOf(who.id)).total, 1)
  const parameters = { id_token_hint: tokens.id_token ?? '', post_logout_redirect_uri: home }
  const page = await person.follow(await person.get(client.buildEndSessionUrl(parts.configuration, parameters)), home)
  if (page.body.includes('name="logout"')) await person.follow(await person.submit(page, { logout: 'yes' }), home)
  t.is((await sessionsOf(who.id)).total, 0)
  const { id, endedAt } = await rowOf(who.id)
  t.truthy(endedAt)
  t.is(await api.server.resources.database.prisma.auditEvent.count({ where: { action: 'session.ended', targetId: id } }), 1)
})

test('a session that goes on is shown for as long as it does', async t => {
  const { who, person } = await makeSignedIn()
  const { id } = await rowOf(who.id)
  await api.server.resources.database.prisma.session.update({ where: { id }, data: { expiresAt: new Date(Date.now() + 60_000) } })
  const another = await makeClient(api.server)
  t.truthy((await person.get((await another.request({ prompt: 'none' })).url)).location?.searchParams.get('code'))
  t.true((await rowOf(who.id)).expiresAt.getTime() > Date.now() + 13 * 86_400_000)
  await api.server.services.apiSessions.end(systemActor, { userId: who.id, id })
  await person.get((await another.request({ prompt: 'none' })).url)
  t.is((await sessionsOf(who.id)).total, 0, 'ended is ended')
})

test('an expired session is not shown; one that is over for thirty days is forgotten, and no other', async t => {
  const { id: userId } = await api.signIn()
  const { prisma } = api.server.resources.database
  const make = (sid: string, days: number, endedAt?: Date) =>
    prisma.session.create({ data: { userId, kind: 'browser', sid: `${userId} ${sid}`, amr: [], endedAt, expiresAt: new Date(Date.now() + days * 86_400_000) } })
  await Promise.all([make('living', 1), make('expired', -1), make('ended', 1, new Date()), make('old', -31), make('old and ended', -31, new Date(0))])
  t.is((await sessionsOf(userId)).total, 2, 'the living one and that of the API')
  const counts = await Promise.all([purgeSessions(api.server.resources.database, 100), purgeSessions(api.server.resources.database, 100)])
  t.is(counts[0] + counts[1], 2)
  t.is(await prisma.session.count({ where: { userId } }), 4)
})

const proving = async (who: { email: string }) => {
  const parts = await makeClient(api.server)
  const person = createPerson()
  const made = await parts.request()
  const page = await person.follow(await person.get(made.url), redirectUri)
  return { person, page: await person.follow(await person.submit(page, { username: who.email }), redirectUri) }
}
const living = (accountId: string) =>
  api.server.resources.database.prisma.oidcArtifact.count({ where: { kind: { in: ['Session', 'Grant'] }, accountId, revokedAt: null } })
const startOfSecond = () => sleep(1000 - (Date.now() % 1000) + 5)

test('a proof made in the very second before access ends becomes no session', async t => {
  const who = await makeUser(api.server, { password })
  const { person, page } = await proving(who)
  await startOfSecond()
  const proven = await person.submit(page, { password })
  await api.server.services.userAdministration.endSessions(systemActor, who.id)
  await person.follow(proven, redirectUri)
  t.is(await living(who.id), 0)
  t.is((await sessionsOf(who.id)).total, 0)
})

test('a proof made in the second in which access ended, but later, becomes a session', async t => {
  const who = await makeUser(api.server, { password })
  const { person, page } = await proving(who)
  await startOfSecond()
  await api.server.services.userAdministration.endSessions(systemActor, who.id)
  await sleep(2)
  await person.follow(await person.submit(page, { password }), redirectUri)
  t.is((await sessionsOf(who.id)).total, 1)
})

test('an old password that is being proven while it is replaced becomes no session', async t => {
  for (let round = 0; round < 4; round += 1) {
    const who = await makeUser(api.server, { password })
    const { person, page } = await proving(who)
    const replaced = api.server.services.signIn.setPassword(systemActor, { id: who.id, password: `quite another phrase ${round}` })
    await sleep(round * 20)
    const [proven] = await Promise.all([person.submit(page, { password }), replaced])
    await person.follow(proven, redirectUri)
    t.is(await living(who.id), 0)
    t.is((await sessionsOf(who.id)).total, 0)
  }
})

// The embedded database runs one transaction at a time: there nobody comes in between.
if (process.env.DATABASE_URL)
  test('an old password that is looked at while another replaces it, unseen as yet, becomes no session', async t => {
    const who = await makeUser(api.server, { password })
    const { person, page } = await proving(who)
    const { prisma } = api.server.resources.database
    let replaced: Promise<void> | undefined
    let proven: ReturnType<typeof person.submit> | undefined
    await prisma.$transaction(
      async tx => {
        // Access has ended, and the password cannot be replaced before this lock goes.
        await tx.$executeRaw`SELECT 1 FROM authentication_methods WHERE user_id = ${who.id}::uuid FOR UPDATE`
        replaced = api.server.services.signIn.setPassword(systemActor, { id: who.id, password: 'quite another phrase' })
        await sleep(500)
        proven = person.submit(page, { password })
        await sleep(500)
      },
      { timeout: 20_000 },
    )
    await replaced
    const answer = await proven
    if (answer) await person.follow(answer, redirectUri)
    t.is(answer?.status, 401)
    t.is(await living(who.id), 0)
    t.is((await sessionsOf(who.id)).total, 0)
  })

test('a session of the API does not begin on a proof as old as the ending of access', async t => {
  const { id: userId } = await makeUser(api.server, { password })
  const at = new Date()
  await api.server.resources.database.prisma.user.update({ where: { id: userId }, data: { accessEndedAt: at } })
  const begin = (since: Date) => api.server.services.apiSessions.begin(systemActor, { userId, amr: ['pwd'], since })
  for (const milliseconds of [-1, 0])
    await t.throwsAsync(begin(new Date(at.getTime() + milliseconds)), { code: 'invalid_credentials' as never }, String(milliseconds))
  t.truthy((await begin(new Date(at.getTime() + 1))).token)
})

// Users as their administrators see and change them, what ends with them, and accounts that come back to who deleted them.
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { Problem } from '../../src/platform/errors.ts'
import { password, startApi, type TestApi } from '../support/api.ts'
import { makeClient, refusal } from '../support/clients.ts'
import { linkOf, linkToken, mailTo, subjectsTo } from '../support/mails.ts'
import { createPerson } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { makeUser } from '../support/users.ts'

let api: TestApi
let admin: string
test.before(async () => {
  api = await startApi()
  admin = await makeAdmin('first-admin@people.example')
})
test.after.always(() => api?.close())

const makeAdmin = async (email: string) => {
  const { id } = await makeUser(api.server, { email, password })
  await api.server.services.userAdministration.update(systemActor, id, { isAdmin: true })
  return (await api.signIn({ email })).token
}
const asAdmin = (operation: string, body?: unknown) => api.ask(operation, { token: admin, body })
const code = async (work: Promise<unknown>) => {
  try {
    await work
    return 'kept'
  } catch (error) {
    if (error instanceof Problem) return error.code
    throw error
  }
}

test('a user is made, read, changed, deleted and restored', async t => {
  const made = await asAdmin('POST /users', { email: 'Whole.Life@people.example', full_name: 'Whole Life', password })
  t.is(made.status, 201)
  t.like(made.data, { email: 'Whole.Life@people.example', full_name: 'Whole Life', status: 'active', email_verified: false, system_role: null })
  const { id } = made.data
  t.is((await asAdmin(`PATCH /users/${id}`, { full_name: null, email_verified: true })).data.email_verified, true)
  t.is((await asAdmin(`GET /users/${id}`)).data.full_name, null)
  t.is((await asAdmin(`DELETE /users/${id}`)).status, 200)
  t.is((await asAdmin(`GET /users/${id}`)).status, 404)
  t.is((await asAdmin(`DELETE /users/${id}`)).status, 404)
  t.is((await asAdmin(`POST /users/${id}/restore`)).data.status, 'active')
  t.is((await asAdmin(`POST /users/${id}/restore`)).status, 404)
})

test('a user who is changed by their id in capitals is known as changed at once', async t => {
  const { users } = api.server.services
  const { id } = await makeUser(api.server)
  t.is((await users.find(id))?.name, (await users.find(id.toUpperCase()))?.name)
  const changed = await api.ask(`PATCH /users/${id.toUpperCase()}`, { token: admin, body: { full_name: 'Changed By Capitals' } })
  t.deepEqual([changed.status, changed.data.id], [200, id])
  t.is((await users.find(id))?.name, 'Changed By Capitals')
  t.is((await users.find(id.toUpperCase()))?.name, 'Changed By Capitals')
})

test('an address that an administrator replaces is told of it, and no link that was mailed before brings an older one back', async t => {
  const made = await makeUser(api.server, { password })
  const [first, second, third] = [made.email, `second-${made.email}`, `third-${made.email}`]
  const { emailChanges, proofs } = api.server.services
  const find = async () => (await asAdmin(`GET /users/${made.id}`)).data
  const user = await api.server.services.userAdministration.get(made.id as never)
  await emailChanges.request(systemActor, { user, email: second })
  await emailChanges.confirm(systemActor, { end: 'old', token: linkToken(await mailTo(api.server, first, 'Approve')) })
  await emailChanges.confirm(systemActor, { end: 'new', token: linkToken(await mailTo(api.server, second, 'Confirm')) })
  const undo = linkToken(await mailTo(api.server, first, 'was changed'))
  await proofs.ask(systemActor, { purpose: 'password_reset', email: second })
  const reset = linkToken(await mailTo(api.server, second, 'Choose a new password'))

  t.is((await asAdmin(`PATCH /users/${made.id}`, { full_name: 'Another Name', email: second.toUpperCase() })).status, 200)
  t.truthy(await emailChanges.find('undo', undo), 'the address is the same')
  t.is((await asAdmin(`PATCH /users/${made.id}`, { email: third, email_verified: true })).status, 200)
  t.is(await code(emailChanges.undo(systemActor, undo)), 'link_expired')
  t.is(await api.server.services.recovery.find(reset), undefined)
  t.like(await find(), { email: third, email_verified: true })
  const told = await mailTo(api.server, second.toUpperCase(), 'another email address')
  t.true(told.text.includes(third))
  t.is((await api.server.mailsTo(third)).length, 0)
})

test('an address that was never verified is not told where its user went', async t => {
  const { id, email } = (await asAdmin('POST /users', { email: 'unproven-before@people.example' })).data
  await asAdmin(`PATCH /users/${id}`, { email: 'unproven-after@people.example' })
  t.deepEqual(await subjectsTo(api.server, email), [])
})

test('an address of a deleted user can be used again, and then the deleted one stays deleted', async t => {
  const email = 'used-again@people.example'
  const { id } = (await asAdmin('POST /users', { email })).data
  t.is((await asAdmin('POST /users', { email: 'Used-Again@People.example' })).status, 409)
  await asAdmin(`DELETE /users/${id}`)
  t.is((await asAdmin('POST /users', { email })).status, 201)
  t.is((await asAdmin(`POST /users/${id}/restore`)).status, 409)
})

test('users are listed by address, state and part of a name, page by page', async t => {
  for (const name of ['one', 'two', 'three']) await asAdmin('POST /users', { email: `listed-${name}@people.example`, full_name: `Listed_${name}` })
  const first = await asAdmin('GET /users?q=listed_&limit=2')
  t.is(first.meta?.total, 3)
  t.is(first.data.length, 2)
  const second = await asAdmin(`GET /users?q=listed_&limit=2&after=${first.meta?.next_cursor}`)
  t.deepEqual([second.data.length, second.meta?.next_cursor], [1, null])
  t.is((await asAdmin('GET /users?email=LISTED-two@people.example')).data[0].full_name, 'Listed_two')
  t.is((await asAdmin('GET /users?q=%25')).data.length, 0)
  t.is((await asAdmin('GET /users?password=x')).status, 400)
  await asAdmin(`POST /users/${first.data[0].id}/suspend`)
  t.deepEqual(
    (await asAdmin('GET /users?q=listed_&status=suspended')).data.map((user: { id: string }) => user.id),
    [first.data[0].id],
  )
})

test('of themselves an administrator who came without that permission changes what they are called and shown as, not their address or role', async t => {
  const { id } = await makeUser(api.server)
  const { userAdministration, accountDeletion } = api.server.services
  const user = await userAdministration.update(systemActor, id, { isAdmin: true })
  const self = { kind: 'user', id, userId: id, permissions: new Set<string>() } as const
  t.is(await code(userAdministration.update(self, id, { name: 'Grace', picture: null, locale: 'de' })), 'kept')
  for (const changes of [
    { email: 'elsewhere@people.example' },
    { isEmailVerified: true },
    { isAdmin: false },
    { isAdmin: true },
    { name: 'G', isAdmin: false },
  ])
    t.is(await code(userAdministration.update(self, id, changes)), 'forbidden', JSON.stringify(changes))
  for (const work of [userAdministration.remove(self, id), userAdministration.suspend(self, id), userAdministration.endSessions(self, id)])
    t.is(await code(work), 'forbidden')
  const other = { ...self, id: user.id, userId: (await makeUser(api.server)).id }
  t.is(await code(userAdministration.update(other, id, { name: 'Not them' })), 'forbidden')
  t.is(await code(accountDeletion.remove(other, user)), 'forbidden')
  t.is(await code(accountDeletion.remove(self, user)), 'kept')
})

test('only administrators of the system see users', async t => {
  const { token, id } = await api.signIn()
  for (const operation of ['GET /users', `GET /users/${id}`, `POST /users/${id}/suspend`, `DELETE /users/${id}`])
    t.is((await api.ask(operation, { token })).status, 403)
  t.is((await api.ask('GET /users')).status, 401)
})

for (const [what, act] of [
  ['suspended', (id: string) => asAdmin(`POST /users/${id}/suspend`)],
  ['deleted', (id: string) => asAdmin(`DELETE /users/${id}`)],
  ['given another password', (id: string) => asAdmin(`POST /users/${id}/password`, { password: 'quite another long phrase' })],
  ['signed out everywhere', (id: string) => asAdmin(`DELETE /users/${id}/sessions`)],
] as const)
  test(`everything ends for a user who is ${what}: tokens, pages and API, also after they are let in again`, async t => {
    const who = await makeUser(api.server, { password })
    const { token } = await api.signIn({ email: who.email })
    const parts = await makeClient(api.server)
    const { tokens, person } = await parts.signIn({ who, parameters: { scope: 'openid offline_access', prompt: 'consent' } })
    t.is((await client.tokenIntrospection(parts.configuration, tokens.access_token)).active, true)
    t.is((await asAdmin(`GET /users/${who.id}/sessions`)).data.length, 2)

    t.is((await act(who.id)).status, 200)
    const again = async () => {
      for (const one of [tokens.access_token, tokens.refresh_token ?? ''])
        t.deepEqual({ ...(await client.tokenIntrospection(parts.configuration, one)) }, { active: false })
      t.is(await refusal(client.refreshTokenGrant(parts.configuration, tokens.refresh_token ?? '')), 'invalid_grant')
      t.is((await api.ask('GET /auth/me', { token })).status, 401)
      const silent = await person.get((await parts.request({ prompt: 'none' })).url)
      t.is(silent.location?.searchParams.get('error'), 'login_required')
    }
    await sleep(1100)
    await again()
    await asAdmin(`POST /users/${who.id}/${what === 'deleted' ? 'restore' : 'activate'}`)
    await sleep(1100)
    await again()
  })

test('a sign-in that was proven before everything ended does not become a session afterwards', async t => {
  const who = await makeUser(api.server, { password })
  const parts = await makeClient(api.server)
  const person = createPerson()
  const made = await parts.request()
  const page = await person.follow(await person.get(made.url), redirectUri)
  const proven = await person.submit(await person.follow(await person.submit(page, { username: who.email }), redirectUri), { password })
  t.is(proven.status, 303)
  await sleep(1100)
  t.is((await asAdmin(`DELETE /users/${who.id}/sessions`)).status, 200)
  const late = await person.follow(proven, redirectUri)
  const { prisma } = api.server.resources.database
  t.is(await prisma.oidcArtifact.count({ where: { kind: { in: ['Session', 'Grant'] }, accountId: who.id, revokedAt: null } }), 0)
  // The request that lost the race may answer with a code; it stands on nothing.
  t.is(await refusal(client.authorizationCodeGrant(parts.configuration, late.location as URL, made.checks)), 'invalid_grant')
  const silent = await person.get((await parts.request({ prompt: 'none' })).url)
  t.is(silent.location?.searchParams.get('error'), 'login_required')
})

test('a session that is excepted goes on with what was granted in it, and the others end', async t => {
  const who = await makeUser(api.server, { password })
  const parts = await makeClient(api.server)
  const signIn = () => parts.signIn({ who, parameters: { scope: 'openid offline_access', prompt: 'consent' } })
  const [mine, other] = [await signIn(), await signIn()]
  const { prisma } = api.server.resources.database
  const { sid } = await prisma.session.findFirstOrThrow({ where: { userId: who.id }, orderBy: { createdAt: 'asc' } })
  await api.server.services.signIn.setPassword(systemActor, { id: who.id as never, password: 'quite another long phrase', exceptSid: sid })
  await sleep(1100)
  const isActive = async (token: string) => (await client.tokenIntrospection(parts.configuration, token)).active
  t.deepEqual([await isActive(mine.tokens.access_token), await isActive(other.tokens.access_token)], [true, false])
  t.truthy((await mine.person.get((await parts.request({ prompt: 'none' })).url)).location?.searchParams.get('code'))
  t.is((await other.person.get((await parts.request({ prompt: 'none' })).url)).location?.searchParams.get('error'), 'login_required')
})

test('what was granted in the session that is excepted ends where the session has let go of the client', async t => {
  const who = await makeUser(api.server, { password })
  const parts = await makeClient(api.server)
  const { tokens } = await parts.signIn({ who, parameters: { scope: 'openid offline_access', prompt: 'consent' } })
  const { database } = api.server.resources
  const { sid } = await database.prisma.session.findFirstOrThrow({ where: { userId: who.id } })
  await database.pool.query(
    "UPDATE oidc_artifacts SET payload = jsonb_set(payload::jsonb, '{authorizations}', '{}')::json WHERE kind = 'Session' AND uid = $1",
    [sid],
  )
  await api.server.services.signIn.setPassword(systemActor, { id: who.id as never, password: 'quite another long phrase', exceptSid: sid })
  t.is(await refusal(client.refreshTokenGrant(parts.configuration, tokens.refresh_token ?? '')), 'invalid_grant')
})

test.serial('of two administrators who remove each other at once, one stays', async t => {
  const { userAdministration: users } = api.server.services
  const { prisma } = api.server.resources.database
  await prisma.user.updateMany({ where: { systemRole: 'admin' }, data: { suspendedAt: new Date() } })
  const pair = []
  for (const name of ['left', 'right']) pair.push(await api.server.services.users.create(systemActor, { email: `${name}-admin@people.example`, isAdmin: true }))
  const told = await Promise.all(
    pair.flatMap(({ id }) => [
      code(users.remove(systemActor, id)),
      code(users.update(systemActor, id, { isAdmin: false })),
      code(users.suspend(systemActor, id)),
    ]),
  )
  t.true(told.includes('last_admin'))
  t.is(await prisma.user.count({ where: { systemRole: 'admin', deletedAt: null, suspendedAt: null } }), 1)
  await prisma.user.updateMany({ where: { systemRole: 'admin' }, data: { suspendedAt: null } })
  await sleep(1100)
})

test('twenty who make a user of one address at once make one', async t => {
  const told = await Promise.all(Array.from({ length: 20 }, () => code(api.server.services.users.create(systemActor, { email: 'crowd@people.example' }))))
  t.is(told.filter(one => one === 'kept').length, 1)
  t.is(told.filter(one => one === 'email_taken').length, 19)
})

test('who was deleted 30 days ago is forgotten for good, and nobody else', async t => {
  const { services, resources } = api.server
  const [old, recent] = [await makeUser(api.server, { password }), await makeUser(api.server, { password })]
  await resources.database.prisma.user.update({ where: { id: old.id }, data: { deletedAt: new Date(Date.now() - 31 * 86_400_000) } })
  await services.userAdministration.remove(systemActor, recent.id)
  t.is((await asAdmin(`POST /users/${old.id}/restore`)).status, 404)
  t.true((await services.userAdministration.purge(systemActor, 100)) >= 1)
  t.is(await resources.database.prisma.user.count({ where: { id: old.id } }), 0)
  t.is(await resources.database.prisma.user.count({ where: { id: recent.id } }), 1)
})

const outcome = (work: Promise<unknown>) => work.then(() => 'done').catch(error => (error instanceof Problem ? error.code : Promise.reject(error)))
const isThere = async (id: string) => (await api.server.services.users.find(id)) !== undefined

/** Somebody who deleted their account, and the mail about it. */
const makeDeleted = async () => {
  const made = await makeUser(api.server)
  const user = await api.server.services.users.find(made.id)
  if (!user) throw new Error('not made')
  await api.server.services.accountDeletion.remove(systemActor, user)
  return { user, mail: await mailTo(api.server, user.email, 'deleted') }
}

test('the link of the mail asks first, then brings the account back, and signs nobody in', async t => {
  const { user, mail } = await makeDeleted()
  t.regex(mail.text, /30 days/)
  const person = createPerson()
  const asked = await person.follow(await person.get(linkOf(mail)), 'nowhere')
  t.is(asked.url.pathname, '/account/restore')
  t.true(asked.body.includes(user.email))
  t.false(await isThere(user.id))
  const done = await person.press(asked, 'csrf')
  t.is(done.status, 200)
  t.true(await isThere(user.id))
  t.is((await person.get(new URL('/account/profile', api.server.issuer))).status, 303)
  t.is((await person.follow(await person.get(linkOf(mail)), 'nowhere')).status, 404)
})

test('of twenty who follow the link at once one brings the account back', async t => {
  const { user, mail } = await makeDeleted()
  const { accountDeletion } = api.server.services
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => outcome(accountDeletion.restore(systemActor, linkToken(mail)))))
  t.is(outcomes.filter(one => one === 'done').length, 1)
  t.is(outcomes.filter(one => one === 'link_expired').length, 19)
  const restored = await api.server.resources.database.prisma.auditEvent.count({ where: { action: 'user.restored', targetId: user.id } })
  t.is(restored, 1)
})

test('whom an administrator deleted since stays deleted', async t => {
  const { user, mail } = await makeDeleted()
  const { userAdministration, accountDeletion } = api.server.services
  await userAdministration.restore(systemActor, user.id)
  await userAdministration.remove(systemActor, user.id)
  t.is(await outcome(accountDeletion.restore(systemActor, linkToken(mail))), 'link_expired')
  t.false(await isThere(user.id))
})

test('an address that belongs to another by now stays theirs, and the link can be tried again', async t => {
  const { user, mail } = await makeDeleted()
  const { users, accountDeletion, userAdministration } = api.server.services
  const other = await users.create(systemActor, { email: user.email, name: 'Another', isEmailVerified: true })
  t.is(await outcome(accountDeletion.restore(systemActor, linkToken(mail))), 'email_taken')
  await userAdministration.remove(systemActor, other.id)
  t.is(await outcome(accountDeletion.restore(systemActor, linkToken(mail))), 'done')
})

test('an address that another never proved does not keep its person from their account', async t => {
  const { user, mail } = await makeDeleted()
  const { users, accountDeletion, userAdministration } = api.server.services
  const squatter = await users.create(systemActor, { email: user.email.toUpperCase(), name: 'A Stranger' })
  t.is(await outcome(userAdministration.restore(systemActor, user.id)), 'email_taken', 'an administrator is told')
  t.is(await outcome(accountDeletion.restore(systemActor, linkToken(mail))), 'done')
  t.true(await isThere(user.id))
  t.false(await isThere(squatter.id))
  const events = await api.server.resources.database.prisma.auditEvent.findMany({ where: { targetId: squatter.id, action: 'user.deleted' } })
  t.deepEqual(
    events.map(({ target }) => (target as { reason?: string }).reason),
    ['address_proven_by_another'],
  )
})

test('whom an administrator deletes is sent no link', async t => {
  const made = await makeUser(api.server)
  const user = await api.server.services.users.find(made.id)
  if (!user) return t.fail()
  await api.server.services.userAdministration.remove(systemActor, user.id)
  await makeDeleted() // by then the other's mail would be there
  t.deepEqual(await api.server.mailsTo(user.email), [])
})

test('the API deletes the caller with the same mail', async t => {
  const { email, password } = await makeUser(api.server)
  const login = await fetch(`${api.server.issuer}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
  })
  const { data } = (await login.json()) as { data: { token: string } }
  const deleted = await fetch(`${api.server.issuer}/api/v1/users/me`, { method: 'DELETE', headers: { authorization: `Bearer ${data.token}` } })
  t.is(deleted.status, 200)
  t.true(linkOf(await mailTo(api.server, email, 'deleted')).pathname.startsWith('/account/restore/'))
})

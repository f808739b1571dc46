// An account that its person deleted comes back by the link of the mail, once, and only from that deletion.
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { Problem } from '../../src/platform/errors.ts'
import { linkOf, linkToken, mailTo } from '../support/mails.ts'
import { createPerson } from '../support/person.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const outcome = (work: Promise<unknown>) => work.then(() => 'done').catch(error => (error instanceof Problem ? error.code : Promise.reject(error)))
const isThere = async (id: string) => (await server.services.users.find(id)) !== undefined

/** Somebody who deleted their account, and the mail about it. */
const makeDeleted = async () => {
  const made = await makeUser(server)
  const user = await server.services.users.find(made.id)
  if (!user) throw new Error('not made')
  await server.services.accountDeletion.remove(systemActor, user)
  return { user, mail: await mailTo(server, user.email, 'deleted') }
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
  t.is((await person.get(new URL('/account/profile', server.issuer))).status, 303)
  t.is((await person.follow(await person.get(linkOf(mail)), 'nowhere')).status, 404)
})

test('of twenty who follow the link at once one brings the account back', async t => {
  const { user, mail } = await makeDeleted()
  const { accountDeletion } = server.services
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => outcome(accountDeletion.restore(systemActor, linkToken(mail)))))
  t.is(outcomes.filter(one => one === 'done').length, 1)
  t.is(outcomes.filter(one => one === 'link_expired').length, 19)
  const restored = await server.resources.database.prisma.auditEvent.count({ where: { action: 'user.restored', targetId: user.id } })
  t.is(restored, 1)
})

test('whom an administrator deleted since stays deleted', async t => {
  const { user, mail } = await makeDeleted()
  const { userAdministration, accountDeletion } = server.services
  await userAdministration.restore(systemActor, user.id)
  await userAdministration.remove(systemActor, user.id)
  t.is(await outcome(accountDeletion.restore(systemActor, linkToken(mail))), 'link_expired')
  t.false(await isThere(user.id))
})

test('an address that belongs to another by now stays theirs, and the link can be tried again', async t => {
  const { user, mail } = await makeDeleted()
  const { users, accountDeletion, userAdministration } = server.services
  const other = await users.create(systemActor, { email: user.email, name: 'Another', isEmailVerified: true })
  t.is(await outcome(accountDeletion.restore(systemActor, linkToken(mail))), 'email_taken')
  await userAdministration.remove(systemActor, other.id)
  t.is(await outcome(accountDeletion.restore(systemActor, linkToken(mail))), 'done')
})

test('an address that another never proved does not keep its person from their account', async t => {
  const { user, mail } = await makeDeleted()
  const { users, accountDeletion, userAdministration } = server.services
  const squatter = await users.create(systemActor, { email: user.email.toUpperCase(), name: 'A Stranger' })
  t.is(await outcome(userAdministration.restore(systemActor, user.id)), 'email_taken', 'an administrator is told')
  t.is(await outcome(accountDeletion.restore(systemActor, linkToken(mail))), 'done')
  t.true(await isThere(user.id))
  t.false(await isThere(squatter.id))
  const events = await server.resources.database.prisma.auditEvent.findMany({ where: { targetId: squatter.id, action: 'user.deleted' } })
  t.deepEqual(
    events.map(({ target }) => (target as { reason?: string }).reason),
    ['address_proven_by_another'],
  )
})

test('whom an administrator deletes is sent no link', async t => {
  const made = await makeUser(server)
  const user = await server.services.users.find(made.id)
  if (!user) return t.fail()
  await server.services.userAdministration.remove(systemActor, user.id)
  await makeDeleted() // by then the other's mail would be there
  t.deepEqual(await server.mailsTo(user.email), [])
})

test('the API deletes the caller with the same mail', async t => {
  const { email, password } = await makeUser(server)
  const login = await fetch(`${server.issuer}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
  })
  const { data } = (await login.json()) as { data: { token: string } }
  const deleted = await fetch(`${server.issuer}/api/v1/users/me`, { method: 'DELETE', headers: { authorization: `Bearer ${data.token}` } })
  t.is(deleted.status, 200)
  t.true(linkOf(await mailTo(server, email, 'deleted')).pathname.startsWith('/account/restore/'))
})

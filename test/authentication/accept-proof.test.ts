// What the log tells of an address that is proven: the first proof once, whatever way it came, and whoever proves who they are as the one who did it.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { codeOf, linkToken, mailTo } from '../support/mails.ts'
import { addPasskey } from '../support/passkey-journeys.ts'
import { signInWith, visitor } from '../support/passkeys.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { toCode } from '../support/sign-in-pages.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

/** An account whose address nobody proved yet. */
const makeUnproven = () => server.services.users.create(systemActor, { email: `${randomUUID()}@people.example`, name: 'A Person' })

/** What was told of a user since they were made: what, and by whom. */
const toldOf = async (id: string) => {
  const rows = await server.resources.database.prisma.auditEvent.findMany({
    where: { targetId: id, action: { in: ['email.verified', 'sign_in.succeeded', 'password.reset', 'user.email_changed'] } },
    orderBy: { id: 'asc' },
  })
  return rows.map(({ action, actorKind, actorId }) => [action, actorKind === 'user' && actorId === id ? 'themselves' : actorKind])
}
const signInByCode = async (email: string, count = 1) => {
  const { person, page } = await toCode(server, email)
  await person.submit(page, { code: codeOf(await mailTo(server, email, 'sign-in code', count)) })
}
const reset = async (email: string, password: string, count = 1) => {
  await server.services.proofs.ask(visitor(), { purpose: 'password_reset', email })
  await server.services.recovery.reset(visitor(), { token: linkToken(await mailTo(server, email, 'Choose a new password', count)), password })
}

test('a sign-in by a mailed code tells that it proved the address, the first time, and who signed in', async t => {
  const { id, email } = await makeUnproven()
  await signInByCode(email)
  const first = [
    ['email.verified', 'themselves'],
    ['sign_in.succeeded', 'themselves'],
  ]
  t.deepEqual(await toldOf(id), first)
  await signInByCode(email, 2)
  t.deepEqual(await toldOf(id), [...first, ['sign_in.succeeded', 'themselves']])
})

test('a new password by a mailed link tells that it proved the address, the first time', async t => {
  const { id, email } = await makeUnproven()
  await reset(email, 'eleven silver kettles')
  await reset(email, 'twelve silver kettles', 2)
  t.deepEqual(await toldOf(id), [
    ['email.verified', 'themselves'],
    ['password.reset', 'themselves'],
    ['password.reset', 'themselves'],
  ])
})

test('the link of a verification tells of one proof, also where the address was verified by other means since', async t => {
  const verify = async (email: string, before = async () => {}) => {
    await server.services.proofs.ask(visitor(), { purpose: 'email_verification', email })
    const token = linkToken(await mailTo(server, email, 'Confirm'))
    await before()
    await server.services.emailVerification.verifyLink(visitor(), { token, isOwner: true })
  }
  const [one, other] = [await makeUnproven(), await makeUnproven()]
  await verify(one.email)
  await verify(other.email, async () => {
    await server.services.userAdministration.update(systemActor, other.id, { isEmailVerified: true })
  })
  for (const { id } of [one, other]) t.deepEqual(await toldOf(id), [['email.verified', 'themselves']])
})

test('a sign-in by passkey tells who signed in', async t => {
  const { id } = await makeUser(server)
  await signInWith(server.services.passkeys, { authenticator: await addPasskey(server, { id }) })
  t.deepEqual(await toldOf(id), [['sign_in.succeeded', 'themselves']])
})

// Several tabs of one browser: a form acts on what its own page showed, or on nothing.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { linkOf, mailTo } from '../support/mails.ts'
import { createPerson, type Person } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { toPassword } from '../support/sign-in-pages.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const expired = 'This form has expired'
const newPassword = 'eleven silver kettles'

const isPasswordOf = async ({ email }: { email: string }, password: string) => {
  const { person, page } = await toPassword(server, email)
  return (await person.submit(page, { password })).status === 303
}

/** Asks for a new password; answers where the mail leads. */
const askReset = async (person: Person, { email }: { email: string }) => {
  await person.submit(await person.get(new URL('/recovery', server.issuer)), { username: email })
  return linkOf(await mailTo(server, email, 'Choose a new password'))
}
const open = async (person: Person, link: URL) => person.follow(await person.get(link), redirectUri)

test('with the links of two accounts open, the form of the one changes no password of the other', async t => {
  const [carol, alice] = [await makeUser(server), await makeUser(server)]
  const person = createPerson()
  const links = [await askReset(person, carol), await askReset(person, alice)] as const
  const first = await open(person, links[0])
  const second = await open(person, links[1])
  t.true(first.body.includes(carol.email))

  const refused = await person.submit(first, { password: newPassword })
  t.is(refused.status, 403)
  t.true(refused.body.includes(expired))
  t.true(refused.body.includes(alice.email))
  t.true(await isPasswordOf(alice, alice.password))

  t.is((await person.submit(second, { password: newPassword })).location?.pathname, '/recovery/done')
  t.true(await isPasswordOf(alice, newPassword))
  t.true(await isPasswordOf(carol, carol.password))
})

test('with the links of two unproven addresses open, the form of the one proves not the other', async t => {
  const make = async () => {
    const email = `${randomUUID()}@people.example`
    const { id } = await server.services.users.create(systemActor, { email, name: 'A Test Person' })
    await server.services.proofs.ask(systemActor, { purpose: 'email_verification', email })
    const isProven = async () => (await server.services.users.find(id))?.isEmailVerified
    return { email, link: linkOf(await mailTo(server, email, 'Confirm your email address')), isProven }
  }
  const [carol, alice] = [await make(), await make()]
  const person = createPerson()
  const first = await open(person, carol.link)
  const second = await open(person, alice.link)
  t.true(first.body.includes(carol.email))

  const refused = await person.press(first, '/verify-email')
  t.is(refused.status, 403)
  t.true(refused.body.includes(expired))
  t.true(refused.body.includes(alice.email))
  t.false(await alice.isProven())

  t.is((await person.press(second, '/verify-email')).location?.pathname, '/verify-email/done')
  t.true(await alice.isProven())
  t.false(await carol.isProven())
})

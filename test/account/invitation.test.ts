// The link of an invitation, followed in a browser where nobody may make an account but those who are invited.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { plant } from '../support/canaries.ts'
import { makeClient } from '../support/clients.ts'
import { hiddenOf } from '../support/factor-journeys.ts'
import { codeOf, linkOf, linkToken, mailTo } from '../support/mails.ts'
import { type Answer, createPerson, type Person } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { beside } from '../support/sign-in-pages.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer({ settings: { SIGN_UP: 'closed' } })
})
test.after.always(() => server?.close())

const end = 'nowhere'
const password = 'violet umbrella 77'
const someone = () => `${randomUUID()}@people.example`

/** Makes an organization that invites somebody; its owner's name is in the mail. */
const invite = async (email: string, mails = 1) => {
  const owner = await makeUser(server)
  const { organizations, invitations, members } = server.services
  const { id } = await organizations.create(systemActor, { name: 'Nordlicht', ownerId: owner.id })
  const made = await invitations.create({ ...systemActor, userId: owner.id }, { organizationId: id, email, role: 'admin' })
  const mail = await mailTo(server, email, 'invited', mails)
  const roleOf = async (userId: string) => {
    const { rows } = await members.list(id, {}, { limit: 100, isAscending: true })
    return rows.find(member => member.userId === userId)?.role
  }
  return { organizationId: id, invitationId: made.id, link: linkOf(mail), token: plant(linkToken(mail)), roleOf }
}
const open = async (person: Person, link: URL) => person.follow(await person.get(link), end)
const signIn = async (person: Person, page: Answer, who: { email: string; password: string }) => {
  const asked = await person.follow(await person.submit(page, { username: who.email }), end)
  return person.follow(await person.submit(asked, { password: who.password }), end)
}
const join = async (person: Person, page: Answer) => person.follow(await person.press(page, 'action="/account/invitation"'), end)
/** Fills in the sign-up form; answers the page that takes the code. */
const signUp = async (person: Person, page: Answer, email: string) => {
  const form = await person.get(beside(page.url, 'sign-up'))
  return { form, page: await person.follow(await person.submit(form, { email, name: 'Ida Example', password }), end) }
}
const subject = 'Confirm your email address'

test('somebody new makes an account for the invited address by the link, and joins, though sign-up is closed', async t => {
  const email = someone()
  const { link, roleOf } = await invite(email)
  const person = createPerson()
  const first = await open(person, link)
  t.true(first.url.pathname.startsWith('/interaction/'))
  t.true(first.body.includes('/sign-up"'))
  const { form, page } = await signUp(person, first, email)
  t.true(form.body.includes(`value="${email}"`))
  const invited = await person.follow(await person.submit(page, { code: codeOf(await mailTo(server, email, subject)) }), end)
  t.is(invited.url.pathname, '/account/invitation')
  t.true(invited.body.includes('Nordlicht'))
  const user = await server.services.users.findByEmail(email)
  t.true(user?.isEmailVerified)
  t.is(await roleOf(user?.id ?? ''), undefined)
  const joined = await join(person, invited)
  t.is(joined.url.pathname, '/account/organizations')
  t.is(await roleOf(user?.id ?? ''), 'admin')
  t.is((await open(person, new URL('/account/invitation', server.issuer))).status, 404)
})

test('whoever has an account signs in by the link and joins', async t => {
  const who = await makeUser(server)
  const { link, roleOf } = await invite(who.email)
  const person = createPerson()
  const invited = await signIn(person, await open(person, link), who)
  t.is(invited.url.pathname, '/account/invitation')
  t.is((await join(person, invited)).url.pathname, '/account/organizations')
  t.is(await roleOf(who.id), 'admin')
})

test('with two invitations open, the form of the one joins nothing of the other', async t => {
  const who = await makeUser(server)
  const [initech, umbrella] = [await invite(who.email), await invite(who.email, 2)]
  const person = createPerson()
  const first = await signIn(person, await open(person, initech.link), who)
  const second = await open(person, umbrella.link)
  t.is(second.url.pathname, '/account/invitation')

  const refused = await join(person, first)
  t.is(refused.status, 403)
  t.true(refused.body.includes('This form has expired'))
  t.is(await initech.roleOf(who.id), undefined)
  t.is(await umbrella.roleOf(who.id), undefined)

  t.is((await join(person, refused)).url.pathname, '/account/organizations')
  t.is(await umbrella.roleOf(who.id), 'admin')
  t.is(await initech.roleOf(who.id), undefined)
})

test('the invitation opens sign-up for its own address alone', async t => {
  const { link } = await invite(someone())
  const person = createPerson()
  const first = await open(person, link)
  const other = someone()
  for (const email of [other, `x${linkToken({ text: link.href })}@people.example`, 'ida']) t.is((await signUp(person, first, email)).page.status, 400, email)
  t.deepEqual(await server.mailsTo(other), [])
})

test('without the link nobody makes an account, not even who is invited', async t => {
  const email = someone()
  const { link } = await invite(email)
  const invited = createPerson()
  const stranger = createPerson()
  const form = await invited.get(beside((await open(invited, link)).url, 'sign-up'))
  const page = await open(stranger, new URL('/account/profile', server.issuer))
  t.false(page.body.includes('/sign-up"'))
  t.is((await stranger.get(beside(page.url, 'sign-up'))).status, 404)
  const filled = { csrf: /name="csrf" value="([^"]+)"/.exec(form.body)?.[1] ?? '', email, name: 'Ida', password }
  t.is((await stranger.post(beside(page.url, 'sign-up'), filled)).status, 404)
  t.is((await stranger.post(form.url, filled)).status, 404)
})

test('an invitation that is taken back while somebody signs up makes nobody a user', async t => {
  const email = someone()
  const { link, organizationId, invitationId } = await invite(email)
  const person = createPerson()
  const { page } = await signUp(person, await open(person, link), email)
  const code = codeOf(await mailTo(server, email, subject))
  await server.services.invitations.revoke(systemActor, { organizationId, id: invitationId })
  t.is((await person.submit(page, { code })).status, 404)
  t.is(await server.services.users.findByEmail(email), undefined)
})

test('it opens the pages of its own organization’s clients too, and of no other organization', async t => {
  const email = someone()
  const { link, organizationId } = await invite(email)
  const other = await server.services.organizations.create(systemActor, { name: 'Südlicht' })
  const person = createPerson()
  await open(person, link)
  const statuses = []
  for (const id of [organizationId, other.id]) {
    const portal = await makeClient(server, { organizationId: id })
    const page = await person.follow(await person.get((await portal.request()).url), redirectUri)
    statuses.push([page.body.includes('/sign-up"'), (await person.get(beside(page.url, 'sign-up'))).status])
  }
  t.deepEqual(statuses, [
    [true, 200],
    [false, 404],
  ])
})

test('whoever is signed in as another is shown that it is not for them, and does not join', async t => {
  const email = someone()
  const { link, roleOf } = await invite(email)
  const other = await makeUser(server)
  const person = createPerson()
  const shown = await signIn(person, await open(person, link), other)
  t.is(shown.url.pathname, '/account/invitation')
  t.true(shown.body.includes(email))
  t.false(shown.body.includes('action="/account/invitation"'))
  // With a form's token of their own, from another page.
  const profile = await person.get(new URL('/account/profile', server.issuer))
  const csrf = /name="csrf" value="([^"]+)"/.exec(profile.body)?.[1] ?? ''
  t.is((await person.post(shown.url, { csrf })).status, 403)
  t.is(await roleOf(other.id), undefined)
})

test('joining needs the form’s own token', async t => {
  const who = await makeUser(server)
  const { link, roleOf } = await invite(who.email)
  const person = createPerson()
  const invited = await signIn(person, await open(person, link), who)
  t.is((await person.post(invited.url, {})).status, 400)
  t.is((await person.post(invited.url, { csrf: 'x'.repeat(43) })).status, 403)
  t.is(await roleOf(who.id), undefined)
})

test('of twenty who press the button at once one joins', async t => {
  const who = await makeUser(server)
  const { link, roleOf } = await invite(who.email)
  const person = createPerson()
  const invited = await signIn(person, await open(person, link), who)
  const answers = await Promise.all(Array.from({ length: 20 }, () => person.press(invited, 'action="/account/invitation"')))
  t.deepEqual(answers.map(({ status }) => status).toSorted(), [303, ...Array(19).fill(404)])
  t.is(await roleOf(who.id), 'admin')
})

test('a link that is good for nothing says so before anybody signs in, and leaves nothing behind', async t => {
  const { link, token, organizationId, invitationId } = await invite(someone())
  await server.services.invitations.revoke(systemActor, { organizationId, id: invitationId })
  const hostile = [token, token.slice(1), `${token}x`, 'A'.repeat(43), 'A'.repeat(4000), '%00', '%F0%9F%99%82', '..%2F..%2Fetc', "'--", '%3Cscript%3E']
  for (const one of hostile) {
    const person = createPerson()
    const answer = await person.get(new URL(one, link))
    t.is(answer.status, one === '%00' ? 400 : 404, one.slice(0, 50))
    t.false(answer.body.includes('<script>'))
    t.is(person.cookies.size, 0, one.slice(0, 50))
  }
  const person = createPerson()
  person.cookies.set('invitation /', { name: 'invitation', value: token, path: '/' })
  t.is((await person.get(beside((await open(person, new URL('/account/profile', server.issuer))).url, 'sign-up'))).status, 404)
})

test('the secret leaves the address at once, and stands in no page, no address, no cookie and no log', async t => {
  const who = await makeUser(server)
  const { link, token } = await invite(who.email)
  const person = createPerson()
  const seen: Answer[] = []
  let answer = await person.get(link)
  t.is(answer.location?.href, `${server.issuer}/account/invitation`)
  t.is(answer.headers.get('referrer-policy'), 'no-referrer')
  for (; answer.location; answer = await person.get(answer.location)) seen.push(answer)
  seen.push(answer, await signIn(person, answer, who))
  t.true(seen.length > 3)
  for (const { url, body, location, headers } of seen) {
    t.false([body, location?.href ?? '', [...headers].join()].some(text => text.includes(token)))
    t.is(url.href.includes(token), url.href === link.href)
  }
  t.true(person.cookies.size > 0)
  for (const { value } of person.cookies.values()) t.false(decodeURIComponent(value).includes(token))
  t.false(server.logged().includes(token))
  t.true(server.logged().includes('/account/invitation/'))
})

test('whoever is signed in as somebody else signs in with the invited account from the page, and joins', async t => {
  const [invited, other] = [await makeUser(server, { email: someone(), password }), await makeUser(server, { email: someone(), password })]
  const { link, roleOf } = await invite(invited.email)
  const person = createPerson()
  const wrong = await signIn(person, await open(person, link), other)
  t.is(wrong.url.pathname, '/account/invitation')
  const asked = await person.follow(await person.get(new URL('/account/invitation/sign-in', server.issuer)), end)
  t.true(wrong.body.includes('href="/account/invitation/sign-in"'))
  // The page by which the browser leaves the other account; a browser with script goes on by itself.
  const leaving = await signIn(person, asked, invited)
  const right = await person.follow(await person.post(new URL(/action="([^"]+)"/.exec(leaving.body)?.[1] ?? '', leaving.url), hiddenOf(leaving)), end)
  t.is(right.url.pathname, '/account/invitation')
  await join(person, right)
  t.is(await roleOf(invited.id), 'admin')
})

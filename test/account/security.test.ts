// The ways to sign in, on the pages of their owner: nothing is lost by loading a page again or by sending a form twice.
import test from 'ava'
import { password, startApi, type TestApi } from '../support/api.ts'
import { enterPassword, hiddenOf, scan } from '../support/factor-journeys.ts'
import { codeOf, withinOneStep } from '../support/factors.ts'
import { enrol, makePerson, type TestPerson } from '../support/passkeys.ts'
import { type Answer, createPerson, type Person } from '../support/person.ts'
import { makeUser } from '../support/users.ts'

let api: TestApi
test.before(async () => {
  api = await startApi()
})
test.after.always(() => api?.close())

const at = (path: string) => new URL(path, api.server.issuer)
const follow = async (person: Person, answer: Answer) => person.follow(answer, 'nowhere:')
const open = async (person: Person, path: string) => follow(person, await person.get(at(path)))
const visitor = async () => {
  const user = await makeUser(api.server, { password })
  const person = createPerson()
  await enterPassword(person, await open(person, '/account/security'), user)
  return { user, person }
}
const factorsOf = (id: string) => api.server.services.authenticators.list(id)
const csrfOf = (page: Answer) => hiddenOf(page).csrf ?? ''
const shownCodes = ({ body }: Answer) => [...body.matchAll(/<li><code>([^<]+)</g)].map(([, code]) => code)

test('the key of an app stays the same when the page is loaded again or changes its language, until another is asked for', async t => {
  const { person } = await visitor()
  const first = await open(person, '/account/authenticator')
  t.is(scan(await open(person, '/account/authenticator')), scan(first))
  const german = await follow(person, await person.submit(first, { language: 'de' }))
  t.regex(german.body, /<html lang="de"/)
  t.is(scan(german), scan(first))
  const wrong = await person.submit(first, { code: '000000' })
  t.is(scan(wrong), scan(first))
  const another = await follow(person, await person.submit(first, { another: 'yes' }))
  t.is(another.url.pathname, '/account/authenticator')
  t.not(scan(another), scan(first))
})

test('another browser of the same person is shown another key', async t => {
  const { user, person } = await visitor()
  const here = await open(person, '/account/authenticator')
  const there = createPerson()
  const elsewhere = await enterPassword(there, await open(there, '/account/authenticator'), user)
  t.not(scan(elsewhere), scan(here))
  const late = await person.submit(here, { code: codeOf(scan(here)) })
  t.is(late.status, 400)
  t.true(late.body.includes('an earlier key'))
  t.false(late.body.includes('There is nothing here'))
})

test('the codes of a first app are shown after a redirect, again when the page is loaded again, until they are saved', async t => {
  const { user, person } = await visitor()
  const page = await open(person, '/account/authenticator')
  const answer = await person.submit(page, { code: codeOf(scan(page)) })
  t.is(answer.status, 303)
  const codes = await follow(person, answer)
  t.is(codes.url.pathname, '/account/recovery-codes')
  t.is(shownCodes(codes).length, 10)
  t.deepEqual(shownCodes(await open(person, '/account/recovery-codes')), shownCodes(codes))
  const unsaved = await person.post(codes.url, { csrf: csrfOf(codes) })
  t.is(unsaved.status, 400)
  t.deepEqual(shownCodes(unsaved), shownCodes(codes))
  t.is((await api.server.services.recoveryCodes.count(user.id)).left, 10)
  const saved = await follow(person, await person.submit(codes, { saved: 'yes' }))
  t.is(saved.url.pathname, '/account/security')
  const over = await open(person, '/account/recovery-codes')
  t.is(over.url.pathname, '/account/security')
  t.deepEqual(shownCodes(over), [])
})

test('new codes are shown after a redirect, and to nobody else in the same browser', async t => {
  const { person } = await visitor()
  const page = await open(person, '/account/authenticator')
  await follow(person, await person.submit(page, { code: codeOf(scan(page)) }))
  const list = await open(person, '/account/security')
  const answer = await person.submit(list, { codes: 'new' })
  t.is(answer.status, 303)
  const codes = await follow(person, answer)
  t.is(shownCodes(codes).length, 10)
  const sealed = [...person.cookies.values()].find(({ name }) => name === 'recovery_codes')
  t.is(sealed?.path, '/account/recovery-codes')
  t.false(shownCodes(codes).some(code => code !== undefined && sealed?.value.includes(code)))
  const { person: stranger } = await visitor()
  if (sealed) stranger.cookies.set('recovery_codes /account/recovery-codes', sealed)
  t.is((await open(stranger, '/account/recovery-codes')).url.pathname, '/account/security')
})

test('of twenty who send the first code at once one confirms, and every other is told that it is done', t =>
  withinOneStep(t, async t => {
    const { user, person } = await visitor()
    const page = await open(person, '/account/authenticator')
    const form = { ...hiddenOf(page), code: codeOf(scan(page)) }
    const answers = await Promise.all(Array.from({ length: 20 }, () => person.post(page.url, form)))
    t.deepEqual(new Set(answers.map(({ status }) => status)), new Set([303]))
    t.deepEqual(new Set(answers.map(({ location }) => location?.pathname)), new Set(['/account/recovery-codes']))
    t.is((await factorsOf(user.id)).length, 1)
    t.is(shownCodes(await open(person, '/account/recovery-codes')).length, 10)
    const again = await follow(person, await person.post(page.url, form))
    t.is(shownCodes(again).length, 10)
    await person.submit(again, { saved: 'yes' })
    const late = await follow(person, await person.post(page.url, form))
    t.is(late.url.href, at('/account/security?done=factor_added').href)
    t.is((await factorsOf(user.id)).length, 1)
  }))

test('a passkey is given a name, and one that is empty or too long is told beside its field', async t => {
  const { user, person } = await visitor()
  const owner = { ...(await makePerson(api.server)), user: (await api.server.services.users.find(user.id)) ?? t.fail() }
  const { id } = await enrol(api.server, { ...owner, actor: { ...owner.actor, id: user.id, userId: user.id } } as TestPerson)
  await api.server.resources.database.pool.query(
    `UPDATE oidc_artifacts SET payload = jsonb_set(payload::jsonb, '{amr}', '["pwd","otp","mfa"]')::json WHERE kind = 'Session' AND account_id = $1`,
    [user.id],
  )
  await api.server.resources.database.prisma.session.updateMany({ where: { userId: user.id }, data: { amr: ['pwd', 'otp', 'mfa'] } })
  const page = await open(person, '/account/security')
  for (const label of ['', ' ', 'x'.repeat(101)]) {
    const wrong = await person.submit(page, { label })
    t.is(wrong.status, 400)
    t.regex(wrong.body, /id="label-error">(Fill in this field|Enter at most 100)/)
  }
  const answer = await follow(person, await person.submit(page, { label: 'My <b>key</b>' }))
  t.true(answer.body.includes('My &lt;b&gt;key&lt;/b&gt;'))
  t.deepEqual(
    (await factorsOf(user.id)).map(({ id, name }) => ({ id, name })),
    [{ id, name: 'My <b>key</b>' }],
  )
})

// GitHub: whose number it is, and which of the addresses it lists is the person's and proven.
import test from 'ava'
import { connect, connectorsOf } from '../support/upstreams/connecting.ts'
import { type Github, type GithubPerson, startGithub } from '../support/upstreams/github.ts'

let github: Github
test.before(async () => {
  github = await startGithub()
})
test.after.always(() => github?.close())

const connecting = (settings: object = {}, client_secret = github.client_secret) =>
  connect(connectorsOf([github]), 'github', { settings: { client_id: github.client_id, ...settings }, client_secret })
const address = (email: string, more: object = {}) => ({ email, primary: true, verified: true, visibility: null, ...more })
const refused = { code: 'upstream_answer_invalid' } as const

test('a person is their number, and their name where they have one', async t => {
  const identity = await connecting().signIn(github, { user: { id: 42, login: 'ada', name: 'Ada' } })
  t.is(identity.subject, '42')
  t.is(identity.name, 'Ada')
  t.is(identity.claims.login, 'ada')
  t.is((await connecting().signIn(github, { user: { id: 42, login: 'renamed', name: null } })).subject, '42')
  t.is((await connecting().signIn(github, { user: { login: 'ada', name: null } })).name, 'ada')
})

test('who has no number that counts is nobody', async t => {
  for (const id of [null, undefined, 0, -1, 1.5, '', '42', 'ada', [], [42], {}, true, Number.MAX_VALUE])
    await t.throwsAsync(connecting().signIn(github, { user: { id } }), refused, JSON.stringify(id))
})

// What its list says, and the address that is believed.
const lists: readonly (readonly [string, unknown, string | undefined])[] = [
  ['one', [address('ada@example.com')], 'ada@example.com'],
  ['one in capitals', [address('Ada@Example.com')], 'ada@example.com'],
  ['several, the primary one last', [address('first@example.com', { primary: false }), address('ada@example.com')], 'ada@example.com'],
  ['not proven', [address('ada@example.com', { verified: false })], undefined],
  ['the primary one not proven, another proven', [address('ada@example.com', { verified: false }), address('b@example.com', { primary: false })], undefined],
  ['none is primary', [address('ada@example.com', { primary: false })], undefined],
  ['GitHub’s own', [address('42+ada@users.noreply.github.com')], undefined],
  ['GitHub’s own, of an Enterprise server', [address('42+ada@users.noreply.github.acme.example')], undefined],
  ['none', [], undefined],
  ['no address', [address('ada')], undefined],
]

test('an address is believed where it is the primary one, proven and read by somebody', async t => {
  for (const [title, emails, email] of lists) {
    const identity = await connecting().signIn(github, { emails, user: { email: 'public@example.com' } })
    t.is(identity.email, email, title)
    t.is(identity.isEmailVerified, email !== undefined, title)
    t.is(identity.authoritativeDomain, undefined)
  }
})

const broken: readonly (readonly [string, GithubPerson])[] = [
  ['a proof that is text', { emails: [address('ada@example.com', { verified: 'true' })] }],
  ['a proof that is missing', { emails: [address('ada@example.com', { verified: undefined })] }],
  ['a list of texts', { emails: ['ada@example.com'] }],
  ['no list', { emails: { message: 'hello' } }],
  ['a person that is refused', { userStatus: 403 }],
  ['a person that is elsewhere', { userStatus: 301 }],
  ['no access token', { tokens: { access_token: undefined } }],
  ['an error under status 200', { tokens: { access_token: undefined, error: 'bad_verification_code' } }],
]

test('answers of another shape are refused', async t => {
  for (const [title, who] of broken) await t.throwsAsync(connecting().signIn(github, who), refused, title)
  await t.throwsAsync(connecting().signIn(github, { userStatus: 503 }), { code: 'upstream_unavailable' })
})

test('an app that may not read addresses signs people in without one', async t => {
  for (const emailsStatus of [403, 404]) t.is((await connecting().signIn(github, { emailsStatus, user: { email: 'public@example.com' } })).email, undefined)
})

test('a code is good once, with its own verifier, state and connection', async t => {
  const one = connecting()
  const underway = await one.begin()
  const callback = await github.signIn(underway.url)
  await one.complete(underway, callback)
  await t.throwsAsync(one.complete(underway, callback), refused, 'again')

  const [mine, theirs] = [await one.begin(), await one.begin()]
  const [, answer] = [await github.signIn(mine.url), await github.signIn(theirs.url)]
  await t.throwsAsync(one.complete(mine, answer), refused, 'another state')
  const swapped = new URL(answer)
  swapped.searchParams.set('state', mine.wish.state)
  await t.throwsAsync(one.complete(mine, swapped), refused, 'another code, under our state')
  await t.throwsAsync(connecting().complete(theirs, await github.signIn(theirs.url)), refused, 'at another connection')
  await t.throwsAsync(one.complete({ ...theirs, begun: { kept: {} } }, await github.signIn(theirs.url)), refused, 'without what was kept')
  const stateless = await github.signIn(theirs.url)
  stateless.searchParams.delete('state')
  await t.throwsAsync(one.complete(theirs, stateless), refused, 'without a state')
})

test('GitHub says that it answers, github.com and an Enterprise server alike; whoever else says so is refused', async t => {
  for (const [settings, iss] of [
    [{}, 'https://github.com/login/oauth'],
    [{ origin: github.local }, `${github.local}/login/oauth`],
  ] as const) {
    const one = connecting(settings)
    const answered = async (bend: (query: URLSearchParams) => void) => {
      const underway = await one.begin()
      const callback = await github.signIn(underway.url, { user: { id: 42 } })
      t.is(callback.searchParams.get('iss'), iss)
      bend(callback.searchParams)
      return one.complete(underway, callback)
    }
    t.is((await answered(() => undefined)).subject, '42')
    t.is((await answered(query => query.delete('iss'))).subject, '42', 'a server of before')
    for (const wrong of ['https://github.com', `${iss}/`, 'https://gitlab.com', 'https://github.com.evil.example/login/oauth'])
      await t.throwsAsync(
        answered(query => query.set('iss', wrong)),
        refused,
        wrong,
      )
    await t.throwsAsync(
      answered(query => query.append('iss', iss)),
      refused,
      'twice',
    )
  }
})

test('an Enterprise server is asked at its own addresses', async t => {
  const one = connecting({ origin: github.local })
  t.deepEqual(one.connector.authorityOf(one.connection.settings), github.local)
  t.is((await one.signIn(github, { user: { id: 7 } })).subject, '7')
  const company = connecting({ origin: 'https://acme.ghe.com' })
  t.deepEqual(company.connector.authorityOf(company.connection.settings), 'https://acme.ghe.com')
  for (const origin of ['http://github.acme.example', 'https://github.acme.example/', 'https://github.acme.example/x', 'ftp://x'])
    t.throws(() => connecting({ origin }), { name: 'ZodError' }, origin)
})

test('nobody is made to prove themselves again by GitHub, which cannot', async t => {
  await t.throwsAsync(connecting().begin({ isAgain: true }), { code: 'upstream_cannot_again' })
  const underway = await connecting().begin()
  const again = { ...underway, wish: { ...underway.wish, isAgain: true } }
  await t.throwsAsync(connecting().complete(again, await github.signIn(underway.url)), refused)
})

test('a test finds a secret that is wrong', async t => {
  t.deepEqual(await connecting().test(), [{ check: 'credentials', isGood: true }])
  const [finding] = await connecting({}, 'another secret').test()
  t.is(finding?.isGood, false)
})

// What an attacker, or a provider that is one, may do to us as a client of OpenID providers: none of it signs anybody in.
import test, { type ExecutionContext } from 'ava'
import type { Wish } from '../../src/connectors/connector.ts'
import { Problem, type ProblemCode } from '../../src/platform/errors.ts'
import { type Connecting, connect, connectorsOf, type Underway } from '../support/upstreams/connecting.ts'
import { startUpstream, type Upstream, type UpstreamPerson } from '../support/upstreams/upstream.ts'

let upstream: Upstream
let attacker: Upstream
let honest: Connecting
let evil: Connecting

const connectTo = ({ issuer, client_id, client_secret }: Upstream, settings: object = {}) =>
  connect(connectorsOf(), 'oidc', { settings: { issuer, client_id, ...settings }, client_secret })

test.before(async () => {
  ;[upstream, attacker] = await Promise.all([startUpstream(), startUpstream()])
  honest = connectTo(upstream)
  evil = connectTo(attacker)
})
test.after.always(() => Promise.all([upstream?.close(), attacker?.close()]))

const told = async (t: ExecutionContext, going: Promise<unknown>, code: ProblemCode, title: string): Promise<Problem | undefined> => {
  try {
    await going
    t.fail(`somebody is signed in: ${title}`)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    t.is(error.code, code, title)
    return error
  }
}

const seconds = (later: number) => Math.floor(Date.now() / 1000) + later

const tokens: readonly (readonly [string, UpstreamPerson])[] = [
  ['the nonce is another', { idToken: { nonce: 'another' } }],
  ['the nonce is missing', { idToken: { nonce: undefined } }],
  ['the nonce is empty', { idToken: { nonce: '' } }],
  ['the nonce is a list', { idToken: { nonce: [] } }],
  ['the algorithm is none', { signed: 'alg none' }],
  ['there is no signature', { signed: 'not at all' }],
  ['it is signed with the client secret', { signed: 'with the secret' }],
  ['it is signed with the public key as a secret', { signed: 'with the public key' }],
  ['it is signed with a key that is not the provider’s', { signed: 'with another key' }],
  ['it is signed with a key that stands in its header', { signed: 'with a key of its own header' }],
  ['the issuer is another', { idToken: { iss: 'https://accounts.google.com' } }],
  ['the issuer has a slash more', { idToken: { iss: 'SLASH' } }],
  ['the issuer is missing', { idToken: { iss: undefined } }],
  ['the audience is another', { idToken: { aud: 'other' } }],
  ['the audience is a list without us', { idToken: { aud: ['other'] } }],
  ['the audience is missing', { idToken: { aud: undefined } }],
  ['there are two audiences and no authorized party', { idToken: { aud: ['authy2', 'other'] } }],
  ['there are two audiences and the other is the authorized party', { idToken: { aud: ['authy2', 'other'], azp: 'other' } }],
  ['the authorized party is another', { idToken: { azp: 'other' } }],
  ['it has expired', { idToken: { exp: seconds(-120) } }],
  ['it never expires', { idToken: { exp: undefined } }],
  ['its expiry is text', { idToken: { exp: '99999999999' } }],
  ['it was issued in the future', { idToken: { iat: seconds(300) } }],
  ['it is not issued', { idToken: { iat: undefined } }],
  ['it is not valid yet', { idToken: { nbf: seconds(300) } }],
  ['the person proved themselves in the future', { idToken: { auth_time: seconds(300) } }],
  ['the subject is missing', { idToken: { sub: undefined } }],
  ['userinfo is of another subject', { userinfo: { sub: 'victim' } }],
  ['userinfo has no subject', { userinfo: { sub: undefined } }],
  ['there is no ID token', { tokens: { id_token: undefined } }],
  ['the ID token is no text', { tokens: { id_token: { sub: 'victim' } } }],
  ['the ID token is no token', { tokens: { id_token: 'e30.e30' } }],
  ['there is no access token', { tokens: { access_token: undefined } }],
]

test('an ID token that is not the provider’s, not for us, not of now or not for this sign-in is refused', async t => {
  for (const [title, person] of tokens) {
    const iss = person.idToken?.iss === 'SLASH' ? { iss: `${upstream.issuer}/` } : {}
    await told(t, honest.signIn(upstream, { ...person, idToken: { ...person.idToken, ...iss } }), 'upstream_answer_invalid', title)
  }
  t.is((await honest.signIn(upstream, { sub: 'joe' })).subject, 'joe')
})

interface Callback {
  readonly title: string
  readonly code?: ProblemCode
  readonly isRefusal?: boolean
  readonly bend: (callback: URL, underway: Underway) => URL | Promise<URL>
}
const set = (name: string, value: string) => (callback: URL) => {
  callback.searchParams.set(name, value)
  return callback
}
const without = (name: string) => (callback: URL) => {
  callback.searchParams.delete(name)
  return callback
}
const twice = (name: string) => (callback: URL) => {
  callback.searchParams.append(name, callback.searchParams.get(name) ?? '')
  return callback
}

const callbacks: readonly Callback[] = [
  { title: 'the state is missing', bend: without('state') },
  { title: 'the state is another', bend: set('state', 'another') },
  { title: 'the state is empty', bend: set('state', '') },
  { title: 'the state comes twice', bend: twice('state') },
  { title: 'the issuer is missing though the provider tells it', bend: without('iss') },
  { title: 'the issuer is another (mix-up)', bend: callback => set('iss', attacker.issuer)(callback) },
  { title: 'the issuer comes twice', bend: twice('iss') },
  { title: 'the code is missing', bend: without('code') },
  { title: 'the code is empty', bend: set('code', '') },
  { title: 'the code comes twice', bend: twice('code') },
  { title: 'the code is nobody’s', bend: set('code', 'x'.repeat(43)) },
  { title: 'the code is of another sign-in of ours', bend: async callback => swapped(callback, await codeOf(honest, upstream)) },
  { title: 'the code is of the attacker’s provider', bend: async callback => swapped(callback, await codeOf(evil, attacker)) },
  { title: 'the code is of another client', bend: async (callback, underway) => swapped(callback, await codeOfOther(underway)) },
  { title: 'an ID token stands in the answer', bend: set('id_token', 'e30.e30.') },
  { title: 'a whole answer stands in a token', bend: set('response', 'e30.e30.') },
  { title: 'somebody said no', isRefusal: true, code: 'upstream_refused', bend: callback => callback },
  { title: 'somebody said no to another state', isRefusal: true, bend: set('state', 'another') },
  { title: 'another provider said no', isRefusal: true, bend: callback => set('iss', attacker.issuer)(callback) },
  { title: 'the provider is not well', isRefusal: true, code: 'upstream_unavailable', bend: set('error', 'temporarily_unavailable') },
  { title: 'the provider wants a login', isRefusal: true, code: 'upstream_refused', bend: set('error', 'login_required') },
  { title: 'there is an error beside the code', code: 'upstream_refused', bend: set('error', 'access_denied') },
]

const swapped = (callback: URL, code: string) => set('code', code)(callback)
const codeOf = async (connecting: Connecting, at: Upstream) => (await at.signIn((await connecting.begin()).url)).searchParams.get('code') ?? ''
const codeOfOther = async ({ url }: Underway) => {
  const asked = new URL(url)
  asked.searchParams.set('client_id', 'other')
  return (await upstream.signIn(asked)).searchParams.get('code') ?? ''
}

test('an answer that is not the one to our question is refused', async t => {
  for (const { title, code = 'upstream_answer_invalid', isRefusal, bend } of callbacks) {
    const underway = await honest.begin()
    const callback = isRefusal ? await upstream.refuse(underway.url) : await upstream.signIn(underway.url)
    await told(t, honest.complete(underway, await bend(callback, underway)), code, title)
  }
})

test('a code is good once, in the sign-in it was made for', async t => {
  const underway = await honest.begin()
  const callback = await upstream.signIn(underway.url, { sub: 'joe' })
  t.is((await honest.complete(underway, callback)).subject, 'joe')
  await told(t, honest.complete(underway, callback), 'upstream_answer_invalid', 'the same answer again')

  const [mine, theirs] = [await honest.begin(), await honest.begin()]
  const answers = [await upstream.signIn(mine.url), await upstream.signIn(theirs.url)] as const
  await told(t, honest.complete(mine, answers[1]), 'upstream_answer_invalid', 'the answer of another browser')
  const kept = { ...mine.begun.kept, verifier: theirs.begun.kept.verifier ?? '' }
  await told(t, honest.complete({ ...mine, begun: { kept } }, answers[0]), 'upstream_answer_invalid', 'another verifier')
})

test('what was kept is needed whole', async t => {
  for (const missing of ['verifier', 'nonce', 'begunAt']) {
    const underway = await honest.begin()
    const { [missing]: _, ...kept } = underway.begun.kept
    await told(t, honest.complete({ ...underway, begun: { kept } }, await upstream.signIn(underway.url)), 'upstream_answer_invalid', `without ${missing}`)
  }
})

test('an answer for one connection is worth nothing at another, even of the same provider', async t => {
  const twin = connectTo(upstream)
  const underway = await honest.begin()
  await told(t, twin.complete(underway, await upstream.signIn(underway.url)), 'upstream_answer_invalid', 'same provider, same client')
  const mixed = await evil.begin()
  await told(t, evil.complete(mixed, await upstream.signIn((await honest.begin()).url)), 'upstream_answer_invalid', 'codes swapped between providers')
})

test('an answer that is posted is not read', async t => {
  const underway = await honest.begin()
  const { search } = await upstream.signIn(underway.url)
  const answer = { method: 'POST', query: search.slice(1), body: search.slice(1) } as const
  const { connector, connection } = honest
  await told(t, connector.complete(connection, { ...underway.wish, kept: underway.begun.kept, answer }), 'upstream_answer_invalid', 'posted')
})

const again: readonly (readonly [string, Partial<Wish>, UpstreamPerson, ProblemCode | undefined])[] = [
  ['now', { isAgain: true }, {}, undefined],
  ['an hour ago', { isAgain: true }, { idToken: { auth_time: seconds(-3600) } }, 'upstream_answer_invalid'],
  ['at no time', { isAgain: true }, { idToken: { auth_time: undefined } }, 'upstream_answer_invalid'],
  ['at a time that is text', { isAgain: true }, { idToken: { auth_time: String(seconds(0)) } }, 'upstream_answer_invalid'],
  ['an hour ago, where that is enough', {}, { idToken: { auth_time: seconds(-3600) } }, undefined],
]

test('who has to prove themselves again is believed only where the provider says that they did', async t => {
  for (const [title, wish, person, code] of again) {
    const going = honest.signIn(upstream, person, wish)
    if (code === undefined) await t.notThrowsAsync(going, title)
    else await told(t, going, code, title)
  }
})

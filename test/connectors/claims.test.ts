// What a provider says of a person, true or not: whose identity it is, and whether its address may be believed.
import test from 'ava'
import { type Connecting, connect, connectorsOf } from '../support/upstreams/connecting.ts'
import { startUpstream, type Upstream, type UpstreamPerson } from '../support/upstreams/upstream.ts'

let upstream: Upstream
let connecting: Connecting

test.before(async () => {
  upstream = await startUpstream()
  const { issuer, client_id, client_secret } = upstream
  connecting = connect(connectorsOf(), 'oidc', { settings: { issuer, client_id }, client_secret })
})
test.after.always(() => upstream?.close())

const email = 'ada@example.com'
const other = 'victim@example.com'
const verified = (address: string) => ({ email: address, email_verified: true })

// What is said, the address that is told of it, and whether it counts as proven.
const addresses: readonly (readonly [string, UpstreamPerson, string | undefined, boolean])[] = [
  ['proven, in both documents', { claims: verified(email) }, email, true],
  ['proven, in the ID token alone', { idToken: verified(email) }, email, true],
  ['proven, in userinfo alone', { userinfo: verified(email) }, email, true],
  ['in capitals', { claims: verified('ADA@Example.COM') }, email, true],
  ['not proven', { claims: { email, email_verified: false } }, email, false],
  ['nothing said of its proof', { claims: { email } }, email, false],
  ['the proof is the text «true»', { claims: { email, email_verified: 'true' } }, email, false],
  ['the proof is the text «false»', { claims: { email, email_verified: 'false' } }, email, false],
  ['the proof is 1', { claims: { email, email_verified: 1 } }, email, false],
  ['the proof is a date', { claims: { email, email_verified: '2026-01-01T00:00:00Z' } }, email, false],
  ['the proof is null', { claims: { email, email_verified: null } }, email, false],
  ['the proof is a list', { claims: { email, email_verified: [true] } }, email, false],
  ['the proof is an object', { claims: { email, email_verified: { valueOf: true } } }, email, false],
  ['the proof has another name', { claims: { email, verified_email: true, emailVerified: true } }, email, false],
  ['the proof stands in the other document', { idToken: { email }, userinfo: { email_verified: true } }, email, false],
  ['the proof stands beside it in the other document alone', { idToken: { email }, userinfo: verified(email) }, email, false],
  ['the proof is denied in the ID token', { idToken: { email, email_verified: false }, userinfo: verified(email) }, email, false],
  ['userinfo has another, proven', { idToken: { email }, userinfo: verified(other) }, email, false],
  ['userinfo has another, the ID token a proof', { idToken: verified(email), userinfo: { email: other } }, email, true],
  ['the ID token has a proof of nothing', { idToken: { email_verified: true }, userinfo: { email: other } }, other, false],
  ['it is null in the ID token', { idToken: { email: null, email_verified: true }, userinfo: verified(other) }, undefined, false],
  ['there is none', { claims: { email_verified: true } }, undefined, false],
  ['it is empty', { claims: verified('') }, undefined, false],
  ['it is a list', { claims: { email: [email], email_verified: true } }, undefined, false],
  ['it is an object', { claims: { email: { toString: email }, email_verified: true } }, undefined, false],
  ['it is two', { claims: verified(`${email},${other}`) }, undefined, false],
  ['it has a line more', { claims: verified(`${email}\nBcc: ${other}`) }, undefined, false],
  ['it has no domain', { claims: verified('ada') }, undefined, false],
  ['its local part is quoted', { claims: verified('"ada@victim.example"@example.com') }, undefined, false],
  ['it has letters that look alike', { claims: verified('аda@example.com') }, undefined, false],
  ['it has an invisible sign', { claims: verified('ada\u200b@example.com') }, undefined, false],
]

test('an address is believed where the same document says, by the boolean, that it was proven', async t => {
  for (const [title, person, address, isVerified] of addresses) {
    const identity = await connecting.signIn(upstream, person)
    t.is(identity.email, address, title)
    t.is(identity.isEmailVerified, isVerified, title)
    t.is(identity.authoritativeDomain, undefined, title)
  }
})

const subjects: readonly (readonly [string, unknown])[] = [
  ['null', null],
  ['empty', ''],
  ['blank', '  '],
  ['zero', 0],
  ['a number', 42],
  ['true', true],
  ['a list', ['ada']],
  ['an empty list', []],
  ['an object', {}],
  ['too long', 'a'.repeat(256)],
  ['text with a NUL', 'ada\u0000'],
  ['text with a line break', 'ada\nbob'],
  ['half a character', 'ada\ud800'],
]

test('who has no subject that tells people apart is nobody', async t => {
  for (const [title, sub] of subjects)
    await t.throwsAsync(connecting.signIn(upstream, { idToken: { sub }, userinfo: { sub } }), { code: 'upstream_answer_invalid' }, title)
  for (const sub of ['ada', '0', 'null', 'ADA', 'ada@example.com', 'a'.repeat(255)])
    t.is((await connecting.signIn(upstream, { sub })).subject, sub, 'the subject is kept as it is written')
})

test('a name and a picture are taken where they are some', async t => {
  const profile = async (claims: object) => {
    const { name, picture } = await connecting.signIn(upstream, { claims: { ...claims } })
    return { name, picture }
  }
  const none = { name: undefined, picture: undefined }
  t.deepEqual(await profile({ name: ' Ada ', picture: 'https://p.example/a.png' }), { name: 'Ada', picture: 'https://p.example/a.png' })
  for (const picture of ['http://p.example/a.png', 'javascript:alert(1)', 'data:image/png;base64,AA', 'https://user@p.example/a.png', '/a.png', 7, null])
    t.deepEqual(await profile({ picture }), none, String(picture))
  // What is kept is what a browser would go to.
  for (const [picture, kept] of [
    ['\u0001https://p.example/a.png', 'https://p.example/a.png'],
    ['https://p.example/a\n\tb', 'https://p.example/ab'],
    ['https://p.example/a\u0000b', 'https://p.example/a%00b'],
    ['https:p.example', 'https://p.example/'],
  ])
    t.deepEqual(await profile({ picture }), { name: undefined, picture: kept }, picture)
  for (const name of ['', '  ', 7, null, ['Ada'], 'Ada\u0000', 'a'.repeat(201)]) t.deepEqual(await profile({ name }), none, String(name))
})

test('the rest is kept without tokens, and bounded', async t => {
  const token = `eyJ${'a'.repeat(20)}.eyJ${'b'.repeat(20)}.${'c'.repeat(20)}`
  const { claims } = await connecting.signIn(upstream, {
    claims: {
      groups: ['admins', 'staff'],
      department: { name: 'Engines' },
      access_token: 'secret',
      upstream_refresh_token: 'secret',
      client_secret: 'secret',
      proof: token,
      deep_proof: [{ at: token }],
      _claim_sources: { src: { endpoint: 'https://x.example', access_token: 'secret' } },
      huge: 'x'.repeat(17_000),
      deep: JSON.parse(`${'['.repeat(40)}${']'.repeat(40)}`),
      after: 'kept',
    },
    userinfo: { only_here: true },
  })
  t.like(claims, { groups: ['admins', 'staff'], department: { name: 'Engines' }, after: 'kept', only_here: true })
  const names = Object.keys(claims)
  for (const name of ['access_token', 'upstream_refresh_token', 'client_secret', 'proof', 'deep_proof', '_claim_sources', 'huge', 'deep', 'nonce', 'aud'])
    t.false(names.includes(name), name)
  t.notRegex(JSON.stringify(claims), /secret|eyJ/)

  const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`claim_${index}`, 'é'.repeat(500)]))
  const bounded = await connecting.signIn(upstream, { claims: many })
  const size = Buffer.byteLength(JSON.stringify(bounded.claims))
  t.true(size <= 16 * 1024 && size > 14 * 1024, String(size))
})

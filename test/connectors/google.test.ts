// Google: for which domains it speaks, and whom a hosted domain keeps out.
import test from 'ava'
import { connect, connectorsOf } from '../support/upstreams/connecting.ts'
import { startGoogle } from '../support/upstreams/known.ts'
import type { Upstream } from '../support/upstreams/upstream.ts'

let google: Upstream
test.before(async () => {
  google = await startGoogle()
})
test.after.always(() => google?.close())

const connecting = (settings: object = {}) =>
  connect(connectorsOf([google]), 'google', { settings: { client_id: google.client_id, ...settings }, client_secret: google.client_secret })
const said = (email: string, more: object = {}) => ({ idToken: { email, email_verified: true, ...more } })

// What is said, and the domain it is entitled to speak for.
const rows: readonly (readonly [string, object, string | undefined])[] = [
  ['Gmail', said('ada@gmail.com'), 'gmail.com'],
  ['Gmail in capitals', said('ADA@GMAIL.COM'), 'gmail.com'],
  ['Gmail’s other name', said('ada@googlemail.com'), 'googlemail.com'],
  ['a customer’s own domain', said('ada@acme.example', { hd: 'acme.example' }), 'acme.example'],
  ['a customer’s own domain in capitals', said('ada@acme.example', { hd: 'ACME.example' }), 'acme.example'],
  ['an address of elsewhere', said('ada@acme.example'), undefined],
  ['a domain that is not the customer’s', said('ada@victim.example', { hd: 'acme.example' }), undefined],
  ['a domain below the customer’s', said('ada@mail.acme.example', { hd: 'acme.example' }), undefined],
  ['a domain above the customer’s', said('ada@acme.example', { hd: 'mail.acme.example' }), undefined],
  ['a domain that ends as Gmail does', said('ada@evilgmail.com'), undefined],
  ['a domain below Gmail', said('ada@x.gmail.com'), undefined],
  ['hd is a list', said('ada@acme.example', { hd: ['acme.example'] }), undefined],
  ['hd is true', said('ada@acme.example', { hd: true }), undefined],
  ['Gmail, not proven', said('ada@gmail.com', { email_verified: false }), undefined],
  ['Gmail, proven by text', said('ada@gmail.com', { email_verified: 'true' }), undefined],
  ['a customer’s own, not proven', said('ada@acme.example', { hd: 'acme.example', email_verified: undefined }), undefined],
]

test('Google is entitled to speak for Gmail and its customers’ domains, where the address is proven', async t => {
  const one = connecting()
  for (const [title, who, domain] of rows) t.is((await one.signIn(google, who)).authoritativeDomain, domain, title)
})

test('userinfo is not asked: what it would say of an address is not signed', async t => {
  const identity = await connecting().signIn(google, { userinfo: { email: 'victim@gmail.com', email_verified: true, hd: 'gmail.com' } })
  t.is(identity.email, undefined)
  t.false(identity.isEmailVerified)
})

test('where a hosted domain is set, its people alone sign in', async t => {
  const one = connecting({ hosted_domain: 'acme.example' })
  t.is((await one.begin()).url.searchParams.get('hd'), 'acme.example')
  t.is((await one.signIn(google, said('ada@acme.example', { hd: 'acme.example' }))).email, 'ada@acme.example')
  for (const hd of [undefined, '', 'evil.example', 'x.acme.example', ['acme.example'], true])
    await t.throwsAsync(one.signIn(google, said('ada@acme.example', { hd })), { code: 'upstream_answer_invalid' }, String(hd))
})

test('nobody is made to prove themselves again by Google, which cannot', async t => {
  await t.throwsAsync(connecting().begin({ isAgain: true }), { code: 'upstream_cannot_again' })
})

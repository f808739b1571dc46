// Messages are said in their language, filled in and escaped; what is missing is said in the other, or seen to be missing.
import test from 'ava'
import { createCatalogue } from '../../src/platform/catalogue.ts'

const words = {
  greeting: { plain: 'Hello & welcome', to: 'Hello <strong>{name}</strong> & all', unseen: 'Change<unseen> name</unseen>' },
  role: 'As {role, select, admin {administrator} other {“{role}”}}',
  seen: 'seen {at, date, medium} {at, time, ::jmmz}',
  minutes: '{minutes, plural, one {a minute} other {# minutes}}',
}
const english = createCatalogue('en', { words })
const german = createCatalogue('de', { words: { minutes: '{minutes, plural, one {einer Minute} other {# Minuten}}' }, fallback: english })

test('a message is given by its whole key, with its numbers in words', t => {
  t.is(english.t('greeting.plain'), 'Hello & welcome')
  t.is(english.t('minutes', { minutes: 1 }), 'a minute')
  t.is(german.t('minutes', { minutes: 1500 }), '1.500 Minuten')
})

test('times are told in UTC, wherever the server stands', t => {
  const before = process.env.TZ
  process.env.TZ = 'Pacific/Apia'
  t.teardown(() => {
    process.env.TZ = before ?? 'UTC'
  })
  t.is(english.t('seen', { at: new Date('2026-02-03T23:45:00Z') }).replace(/\s/gu, ' '), 'seen Feb 3, 2026 11:45 PM UTC')
})

test('as HTML a message and what it tells of are escaped, and stand apart', t => {
  t.is(english.rich('greeting.plain').html, 'Hello &amp; welcome')
  t.is(english.rich('greeting.to', { name: '<b>&' }).html, 'Hello <strong><bdi>&lt;b&gt;&amp;</bdi></strong> &amp; all')
  t.is(english.rich('greeting.unseen').html, 'Change<span class="unseen"> name</span>')
})

test('as HTML a message says of a value what it says of it as text, and lets it stand apart where it shows it', t => {
  t.is(english.t('role', { role: 'admin' }), 'As administrator')
  t.is(english.rich('role', { role: 'admin' }).html, 'As administrator')
  t.is(english.rich('role', { role: '<i>' }).html, 'As “<bdi>&lt;i&gt;</bdi>”')
  t.is(english.rich('role', { role: 'constructor' }).html, 'As “<bdi>constructor</bdi>”')
})

test('what one language does not say is said in the other', t => {
  t.is(german.t('greeting.plain'), 'Hello & welcome')
  t.is(german.rich('greeting.to', { name: 'A' }).html, 'Hello <strong><bdi>A</bdi></strong> &amp; all')
})

test('what nobody says is found missing', t => {
  for (const key of ['', 'greeting', 'greeting.', 'nothing', '__proto__', 'constructor', 'toString.name', '<script>']) {
    t.is(german.find(key), undefined)
    t.is(german.t(key), `⟦${key}⟧`)
  }
  t.is(german.rich('<script>').html, '⟦&lt;script&gt;⟧')
})

test('a value that a message needs and is not given is a bug', t => {
  t.throws(() => english.t('minutes'))
})

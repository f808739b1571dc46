/** A tenant's colours stay readable, and nothing but a colour gets into the style sheet. */
import test from 'ava'

import { type Branding, styleTokens } from '../../src/platform/branding.ts'

const tokens = (branding: Omit<Branding, 'name'>) => Object.fromEntries(styleTokens({ name: 'Acme', ...branding }).map(({ name, value }) => [name, value]))

test('a brand without colours sets nothing', t => {
  t.deepEqual(tokens({}), {})
})

test('what is not a colour or a radius sets nothing', t => {
  for (const value of ['red', '#12', '#12345g', 'url(x)', '#fff;}', ' #fff', '#fff\n', 'var(--x)']) {
    t.deepEqual(tokens({ primaryColor: value, backgroundColor: value, radius: value }), {}, value)
  }
  t.deepEqual(tokens({ radius: '25px' }), {})
})

test('the words on the primary colour are black or white, whichever is readable', t => {
  t.is(tokens({ primaryColor: '#ffe81a' })['on-brand'], '#000000')
  t.is(tokens({ primaryColor: '#0b0b3b' })['on-brand'], '#ffffff')
})

test("the tenant's words on the primary colour are kept only where they are readable", t => {
  t.is(tokens({ primaryColor: '#0b0b3b', primaryTextColor: '#ffee99' })['on-brand'], '#ffee99')
  t.is(tokens({ primaryColor: '#0b0b3b', primaryTextColor: '#222266' })['on-brand'], '#ffffff')
})

test('the accent is the primary colour where that is readable, and nears black or white where not', t => {
  t.is(tokens({ primaryColor: '#00f' }).accent?.slice(0, 19), 'light-dark(#0000ff,')
  t.is(tokens({ primaryColor: '#ffe81a' }).accent?.slice(19), '#ffe81a)')
  t.not(tokens({ primaryColor: '#ffe81a' }).accent?.slice(11, 18), '#ffe81a')
})

test('a radius and a background are set', t => {
  const { radius, page, 'on-page': onPage } = tokens({ radius: '4px', backgroundColor: '#000033' })
  t.is(radius, '4px')
  t.true(page?.startsWith('light-dark(#000033,'))
  t.true(onPage?.startsWith('light-dark(#ffffff,'))
})

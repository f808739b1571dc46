/** Views are fixed, see only their locals, and escape every one of them. */
import { readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { GALLERY_STATES } from '../../../src/pages/gallery-states.ts'
import type { PageName } from '../../../src/pages/page-locals.ts'
import { createPages } from '../../../src/pages/pages.ts'
import { createViews } from '../../../src/platform/http/views.ts'
import { createLanguages } from '../../../src/platform/languages.ts'
import { temporaryFolder } from '../../support/folder.ts'

const DIRECTORY = join(import.meta.dirname, '../../../views')
const HOSTILE = `"><script>alert(1)</script>' onload='alert(2)`

async function makeViews(source: string, { isCached = true, locals = ['name', 'homeUrl', 'logoUrl', 'client'] } = {}) {
  const directory = temporaryFolder('views')
  await writeFile(join(directory, 'layout.ejs'), '<main><%- page.body %></main>')
  await writeFile(join(directory, 'hello.ejs'), source)
  const views = createViews({ directory, isCached, locals: { hello: locals }, layout: 'layout' })
  return { views, file: join(directory, 'hello.ejs') }
}

test('a view is rendered escaped inside the layout', async t => {
  const { views } = await makeViews('<p><%= page.name %></p>')
  t.is(views.render('hello', { name: '<b>&"\'' }), '<main><p>&lt;b&gt;&amp;&#34;&#39;</p></main>')
})

test('only views on the list are rendered', async t => {
  const { views } = await makeViews('hello')
  for (const name of ['layout', '../hello', 'hello.ejs', '__proto__', 'constructor', 'toString', '']) {
    t.throws(() => views.render(name, {}), { message: /There is no view/ })
  }
})

test('a local that is not on the list is dropped', async t => {
  const { views } = await makeViews('<%= page.secret %>|<%= page.settings %>|<%= page.body %>')
  t.is(views.render('hello', { secret: 'x', settings: 'y', body: 'z' }), '<main>||</main>')
})

test('neither the locals nor what is in them has a prototype', async t => {
  const { views } = await makeViews('<%= page.constructor %><%= page.client.constructor %><%= page.client.polluted %>')
  const client: object = JSON.parse('{ "__proto__": { "polluted": "yes" } }')
  t.is(views.render('hello', { client }), '<main></main>')
  t.is(views.render('hello', { client: Object.create({ polluted: 'yes' }) }), '<main></main>')
})

test('an address that is not one of the web is dropped', async t => {
  const { views } = await makeViews('<%= page.homeUrl %>')
  const bad = [
    'javascript:alert(1)',
    ' javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'data:text/html,x',
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    'vbscript:x',
  ]
  for (const homeUrl of bad) t.is(views.render('hello', { homeUrl }), '<main></main>', homeUrl)
  for (const homeUrl of ['https://a.example/?b=c', 'http://localhost:3000/', '/login', '/', 'mailto:help@a.example']) {
    t.is(views.render('hello', { homeUrl }), `<main>${homeUrl}</main>`)
  }
})

test('a logo may be image data, but not a page', async t => {
  const { views } = await makeViews('<%= page.logoUrl %>')
  t.is(views.render('hello', { logoUrl: 'data:image/png;base64,AAAA' }), '<main>data:image/png;base64,AAAA</main>')
  t.is(views.render('hello', { logoUrl: 'data:text/html;base64,AAAA' }), '<main></main>')
})

test('a cached view is read once, another one for every render', async t => {
  for (const [isCached, expected] of [
    [true, 'one'],
    [false, 'two'],
  ] as const) {
    const { views, file } = await makeViews('one', { isCached })
    views.render('hello', {})
    await writeFile(file, 'two')
    t.is(views.render('hello', {}), `<main>${expected}</main>`)
  }
})

test('a broken view fails the start', async t => {
  await t.throwsAsync(makeViews('<% if ( %>'))
})

for (const [view, states] of Object.entries(GALLERY_STATES)) {
  test(`hostile values in every local of ${view} are escaped`, t => {
    const languages = createLanguages({ directory: join(DIRECTORY, 'languages') })
    const pages = createPages({ directory: DIRECTORY, isCached: true, assets: { url: name => `/assets/${name}` }, languages })
    for (const state of Object.values(states)) {
      const locals = { ...(hostile(state) as object), ...hostileCommon() }
      const html = pages.render(view as PageName, locals as never)
      t.false(html.includes('<script>'))
      t.notRegex(html, /javascript:/i)
      t.notRegex(html, /["']\s*onload=["']/)
      // Ours alone, by their addresses.
      for (const [tag] of html.matchAll(/<script[^>]*>/g)) t.regex(tag, /^<script src="\/assets\/[a-z-]+\.js" defer>$/)
    }
  })
}

test('views write unescaped only what they include', t => {
  // A mail's plain text is no HTML: nothing in it can be taken for a tag.
  const files = readdirSync(DIRECTORY, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ejs') && name !== 'mail/text.ejs')
  t.true(files.length > 12)
  for (const file of files) {
    const tags = readFileSync(join(DIRECTORY, file), 'utf8').match(/<%-(?:(?!%>)[\s\S])*%>/g) ?? []
    for (const tag of tags) t.regex(tag, /^<%- (?:include\('partials\/[a-z/-]+'(?:, \{[^}]*\})?\)|page\.body) %>$/, file)
  }
})

test('views have no logic but if and for', t => {
  const files = readdirSync(DIRECTORY, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ejs'))
  for (const file of files) {
    const tags = readFileSync(join(DIRECTORY, file), 'utf8').match(/<%(?![-=#])(?:(?!%>)[\s\S])*%>/g) ?? []
    for (const tag of tags) t.regex(tag, /^<% (?:if \(.*\) \{|for \(const \w+ of [\w.]+\) \{|\} else \{|\}) -?%>$/, file)
  }
})

/** Makes every string hostile, addresses by their scheme and the others by their marks. */
function hostile(value: unknown, key = ''): unknown {
  if (typeof value === 'string') return /url$|action$/i.test(key) ? `javascript:alert('${HOSTILE}')` : HOSTILE
  if (Array.isArray(value)) return value.map(item => hostile(item, key))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, hostile(item, name)]))
}

function hostileCommon() {
  const branding = {
    name: HOSTILE,
    logoUrl: 'javascript:alert(1)',
    logoDarkUrl: `https://a.example/${HOSTILE}`,
    primaryColor: 'red;}</style><script>alert(1)</script>',
    primaryTextColor: HOSTILE,
    backgroundColor: 'url(https://evil.example)',
    radius: '1px;}</style><script>alert(1)</script>',
    supportUrl: 'javascript:alert(1)',
    termsUrl: `https://a.example/"onload="alert(1)`,
    privacyUrl: HOSTILE,
  }
  return { lang: HOSTILE, here: HOSTILE, nonce: HOSTILE, requestId: HOSTILE, branding, gallery: [] }
}

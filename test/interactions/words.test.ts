// The catalogues: whole, equal in what they fill in, well-formed, used, and enough for every page.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { IntlMessageFormat } from 'intl-messageformat'
import { COMMON_STATES, GALLERY_STATES } from '../../src/pages/gallery-states.ts'
import { createPages } from '../../src/pages/pages.ts'
import { problemWords } from '../../src/pages/problem-words.ts'
import { flatten } from '../../src/platform/catalogue.ts'
import { problemCodes } from '../../src/platform/errors.ts'
import { createLanguages } from '../../src/platform/languages.ts'

const root = join(import.meta.dirname, '../..')
const directory = join(root, 'views/languages')
const languages = createLanguages({ directory })
const messages = new Map(languages.tags.map(tag => [tag, flatten(JSON.parse(readFileSync(join(directory, `${tag}.json`), 'utf8')))]))
const english = messages.get('en') ?? new Map<string, string>()
const sources = ['views', 'src'].flatMap(folder =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(path => /\.(ejs|ts)$/.test(path) && !path.includes('generated'))
    .map(path => ({ path: `${folder}/${path}`, text: readFileSync(join(root, folder, path), 'utf8') })),
)

type Element = ReturnType<IntlMessageFormat['getAst']>[number]

/** What a message fills in: names of values and of elements. */
const placeholders = (elements: readonly Element[]): string[] =>
  elements.flatMap(element => {
    if (element.type === 0 || element.type === 7) return []
    const inside = 'options' in element ? Object.values(element.options).flatMap(({ value }) => placeholders(value)) : []
    const children = 'children' in element ? placeholders(element.children) : []
    return [`${element.type === 8 ? 'element ' : ''}${element.value}`, ...inside, ...children]
  })

test('the six languages are there, each by its own name', t => {
  t.deepEqual(
    languages.list.map(({ tag, name, direction }) => `${tag} ${name} ${direction}`),
    ['de Deutsch ltr', 'en English ltr', 'es Español ltr', 'fr Français ltr', 'ar العربية rtl', 'ja 日本語 ltr'].toSorted((a, b) =>
      a.slice(3).localeCompare(b.slice(3), 'en'),
    ),
  )
})

for (const [tag, own] of messages) {
  test(`${tag} says what English says, and no more`, t => {
    t.deepEqual(
      [...english.keys()].filter(key => !own.get(key)?.trim()),
      [],
      'missing',
    )
    t.deepEqual(
      [...own.keys()].filter(key => !english.has(key)),
      [],
      'too many',
    )
  })

  test(`${tag} is well-formed, fills in what English fills in, and has every plural its language has`, t => {
    const forms = new Intl.PluralRules(tag).resolvedOptions().pluralCategories
    for (const [key, message] of own) {
      const elements = new IntlMessageFormat(message, tag).getAst()
      const theirs = new IntlMessageFormat(english.get(key) ?? '', 'en').getAst()
      t.deepEqual([...new Set(placeholders(elements))].toSorted(), [...new Set(placeholders(theirs))].toSorted(), key)
      for (const element of elements) if (element.type === 6) t.deepEqual(Object.keys(element.options).toSorted(), forms.toSorted(), key)
      t.notRegex(message, /<(?!\/?(?:strong|unseen)>)|&\w+;/, key)
    }
  })

  test(`${tag} is a translation`, t => {
    if (tag === 'en') return t.pass()
    const sentences = [...english].filter(([, message]) => message.length > 30 && !message.startsWith('<unseen>'))
    t.deepEqual(
      sentences.filter(([key, message]) => own.get(key) === message).map(([key]) => key),
      [],
    )
  })

  test(`every page in every state is whole in ${tag}`, t => {
    const pages = createPages({ directory: join(root, 'views'), isCached: true, assets: { url: name => `/assets/${name}` }, languages })
    for (const [view, states] of Object.entries(GALLERY_STATES))
      for (const [state, locals] of Object.entries(states)) {
        const html = pages.render(view as 'expired', { ...locals, ...COMMON_STATES.plain, lang: tag, here: '/', nonce: 'n', requestId: 'r' })
        t.notRegex(html, /[⟦⟧]|undefined|\[object/, `${view} ${state}`)
        t.true(html.includes(`<html lang="${tag}" dir="${languages.in(tag).direction}">`))
      }
  })
}

test('every key that is said is there', t => {
  const said = sources.flatMap(({ path, text }) =>
    [...text.matchAll(/\b(?:t|rich|find)\('([a-z][\w-]*(?:\.[\w-]+)+)'[,)]/g)].map(([, key = '']) => ({ path, key })),
  )
  t.true(said.length > 80)
  t.deepEqual(
    said.filter(({ key }) => !english.has(key)),
    [],
  )
})

test('every key that is there is said', t => {
  const all = sources.map(({ text }) => text).join('\n')
  const literals = new Set([...all.matchAll(/'([a-z][\w-]*(?:\.[\w-]+)+)'/g)].map(([, key]) => key))
  // Keys that are put together: `title.${view}`, 'scope.' + name.
  const families = [...all.matchAll(/`([a-z][\w.]*\.)\$\{|'([a-z]\w*\.)' \+/g)].map(([, template, sum]) => template ?? sum ?? '')
  t.deepEqual(
    [...english.keys()].filter(key => !literals.has(key) && !families.some(start => key.startsWith(start))),
    [],
  )
})

// What only callers of the API are told, and what has a page of its own.
const withoutSentence = new Set([
  'csrf_header_mismatch',
  'slug_taken',
  'client_id_taken',
  'resource_server_taken',
  'details_type_taken',
  'too_many_resource_servers',
  'role_name_taken',
  'role_in_use',
  'role_built_in',
  'too_many_roles',
  'idempotency_key_reused',
  'idempotency_key_busy',
  'secrets_required',
  'connection_of_settings',
  'too_many_connections',
  'domain_taken',
  'domain_not_proven',
  'too_many_domains',
  'too_many_webhooks',
  'webhook_disabled',
  'dns_unavailable',
  'secret_not_used',
  'too_many_secrets',
  'signing_key_too_young',
  'precondition_failed',
  'unsupported_precondition',
  'interaction_expired',
  'link_expired',
])

test('every Problem that a page can show is told in every language', t => {
  for (const language of languages.list)
    for (const code of problemCodes.filter(one => !withoutSentence.has(one) && one !== 'validation_failed')) {
      const { error } = problemWords(language, { code, message: '⟦the API’s⟧', retryAfterSeconds: 120, values: { name: 'Google' } })
      t.truthy(error)
      t.false(error?.includes('⟦'), `${code} in ${language.tag}`)
    }
})

test('what the forms themselves may find wrong with a field is told in every language', t => {
  const codes = [
    'required',
    'too_short',
    'too_long',
    'invalid',
    ...sources.flatMap(({ text }) => [...text.matchAll(/path: '[^']*', code: '(\w+)'/g)].map(found => found[1] ?? '')),
  ]
  for (const { tag } of languages.list)
    for (const code of codes)
      t.true(
        [...(messages.get(tag)?.keys() ?? [])].some(key => key === `fault.${code}` || (key.startsWith('fault.') && key.endsWith(`.${code}`))),
        `${code} in ${tag}`,
      )
})

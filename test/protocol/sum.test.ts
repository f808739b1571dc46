// How many rows the great table has, as SPECS.md tells; a row stands once, and each shows a sentence.
import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { clientChecks } from './rows/client-checks.ts'
import { openid } from './rows/openid.ts'
import { devices, proofs, thumbprints } from './rows/proofs.ts'
import { requests } from './rows/requests.ts'
import { resources } from './rows/resources.ts'
import { responses } from './rows/responses.ts'
import { rfc6749Authorize } from './rows/rfc6749-authorize.ts'
import { rfc6749Token } from './rows/rfc6749-token.ts'
import { rfc7636 } from './rows/rfc7636.ts'
import { stepUp } from './rows/step-up.ts'

const requested = [
  ...rfc6749Authorize,
  ...rfc6749Token,
  ...rfc7636,
  ...openid,
  ...requests,
  ...resources,
  ...proofs,
  ...thumbprints,
  ...devices,
  ...responses,
  ...stepUp,
]
const rows = [...requested, ...clientChecks]
const root = new URL('../../', import.meta.url)
const collator = new Intl.Collator('en', { numeric: true })
const sectionsOf = (own: typeof rows) => [...new Set(own.map(({ section }) => section.replace(/ \(\d+\)$/, '')))].sort(collator.compare).join(', ')
const counted = Object.fromEntries([...Map.groupBy(rows, ({ spec }) => spec)].map(([spec, own]) => [spec, `${own.length}: ${sectionsOf(own)}`]))

test('SPECS.md tells how many rows there are per specification, and of which sections', t => {
  const [, table = ''] = readFileSync(new URL('SPECS.md', root), 'utf8').split('## The great table')
  const lines = [...(table.split('\n## ')[0] ?? '').matchAll(/^\| ([^|]+) \| (\d+) \| ([^|]*?) ?\|/gm)]
  t.deepEqual(Object.fromEntries(lines.map(([, spec = '', count, sections]) => [spec, `${count}: ${sections}`])), {
    ...counted,
    'all of them': `${rows.length}: `,
  })
  t.true(rows.length >= 260)
})

test('SPECS.md names tests and sources that are there', t => {
  const specifications = readFileSync(new URL('SPECS.md', root), 'utf8')
  const [, table = ''] = specifications.split('shown by `test/protocol/rows/….ts` |')
  const ofRows = [...(table.split('\n\n')[0] ?? '').matchAll(/`([a-z0-9-]+)`/g)].map(([, name]) => `test/protocol/rows/${name}.ts`)
  const named = [...specifications.matchAll(/`((?:test|src)\/[^`…]+)`/g)].map(([, path = '']) => path)
  t.true(ofRows.length > 20 && named.length > 100)
  const absent = [...new Set([...ofRows, ...named])].filter(path => globSync(path, { cwd: fileURLToPath(root) }).length === 0)
  t.deepEqual(absent, [])
})

test('each row names its section, and a sentence of the specification', t => {
  for (const { spec, section, says, when } of rows) {
    t.regex(section, /^(RFC \d+ |OpenID Connect Core )?§\d/, `${spec} ${when}`)
    t.true(says.length > 20 && when.length > 4, `${spec} ${section} ${when}`)
  }
})

test('no row bends what another bends', t => {
  const titles = requested.map(({ spec, section, at, client, when }) => [spec, section, at, client, when].join())
  t.is(new Set(titles).size, titles.length)
})

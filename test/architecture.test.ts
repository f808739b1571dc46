// Who may import whom: the floors of the house, and what only one place may know.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'

const source = fileURLToPath(new URL('../src', import.meta.url))
const entrances = ['api', 'oidc', 'interactions', 'account', 'console']
const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter(path => path.endsWith('.ts') && !path.includes('generated'))
  .map(path => ({ path, text: readFileSync(join(source, path), 'utf8') }))

interface Import {
  readonly from: string
  readonly to: string
  readonly isType: boolean
}

const imports: Import[] = files.flatMap(({ path, text }) =>
  [...text.matchAll(/^(?:import|export) (type )?[^;'"]*? from '([^']+)'|^import '([^']+)'/gms)].map(([, type, named, bare]) => {
    const to = named ?? bare ?? ''
    return { from: path, to: to.startsWith('.') ? normalize(join(dirname(path), to)) : to, isType: type !== undefined }
  }),
)
const inside = imports.filter(({ to }) => files.some(({ path }) => path === to))
const folder = (path: string) => (path.includes('/') ? (path.split('/')[0] ?? '') : '')
const floor = (path: string) => {
  const name = folder(path)
  if (name === '') return 3
  if (entrances.includes(name)) return 2
  return name === 'platform' ? 0 : 1
}
const told = (found: readonly Import[]) => found.map(({ from, to }) => `${from} → ${to}`)

test('imports go down', t => {
  const isWords = (path: string) => path === 'config.ts'
  t.deepEqual(told(inside.filter(({ from, to, isType }) => floor(from) < floor(to) && !(isType && isWords(to)))), [])
})

test('a slice imports only words and types of other slices', t => {
  const foreign = inside.filter(({ from, to }) => floor(from) === 1 && floor(to) === 1 && folder(from) !== folder(to))
  const words = new Set([
    'users/user.ts',
    'users/email.ts',
    'sessions/session.ts',
    'clients/client.ts',
    'organizations/organization.ts',
    'authentication/authentication.ts',
    'mfa/authenticator.ts',
    'challenges/challenge.ts',
    'mails/mail.ts',
  ])
  t.deepEqual(told(foreign.filter(({ to, isType }) => !isType && !words.has(to))), [])
})

test('entrances do not import each other', t => {
  t.deepEqual(told(inside.filter(({ from, to }) => floor(from) === 2 && floor(to) === 2 && folder(from) !== folder(to))), [])
})

test('what only one place may know is imported there alone', t => {
  const rules: readonly [RegExp, RegExp][] = [
    [/^oidc-provider/, /^oidc\//],
    [/^(ioredis|pg|@prisma\/|@electric-sql\/)|platform\/data\/generated/, /^platform\/data\//],
    [/^@simplewebauthn\//, /^mfa\/passkey-(ceremonies|shape)\.ts$/],
    [/^argon2$/, /^authentication\/password\.ts$/],
    [/^@node-saml\//, /^connectors\/saml\.ts$/],
    [/^prom-client$/, /^platform\/metrics\//],
    [/^@opentelemetry\//, /^platform\/tracing\/open\.ts$/],
    [/^age-encryption$/, /^backup\/cipher\.ts$/],
    [/^ejs$/, /^platform\/http\/views\.ts$/],
  ]
  const broken = rules.flatMap(([name, home]) => imports.filter(({ from, to }) => name.test(to) && !home.test(from)))
  t.deepEqual(told(broken), [])
})

test('a table is written only by whom its schema names', t => {
  const schema = fileURLToPath(new URL('../prisma/schema', import.meta.url))
  const homes = readdirSync(schema).flatMap(file => {
    const text = readFileSync(join(schema, file), 'utf8')
    const home = /^\/\/.* Written only by src\/([\w/-]+(\.ts)?)/.exec(text)?.[1]
    const models = [...text.matchAll(/^model (\w+) \{.*?@@map\("(\w+)"\)/gms)]
    return home === undefined ? [] : models.map(([, model = '', table = '']) => ({ home, table, model: model.charAt(0).toLowerCase() + model.slice(1) }))
  })
  t.true(homes.length > 30)
  // A restore writes whole databases, and ends in them what no slice is there for.
  const writing = files.filter(({ path }) => folder(path) !== 'backup')
  const broken = homes.flatMap(({ home, table, model }) => {
    const writes = new RegExp(`\\b(UPDATE|INSERT INTO|DELETE FROM) ${table}\\b|\\.${model}\\.(create|update|upsert|delete)\\w*\\(`)
    return writing.filter(({ path, text }) => writes.test(text) && path !== home && !path.startsWith(`${home}/`)).map(({ path }) => `${path} → ${table}`)
  })
  t.deepEqual(broken, [])
})

test('transactions are made in one place', t => {
  t.deepEqual(
    files.filter(({ text }) => /\$transaction\b/.test(text)).map(({ path }) => path),
    ['platform/data/transact.ts'],
  )
})

test('only config.ts reads the environment, and arguments.ts what npm leaves there', t => {
  t.deepEqual(
    files.filter(({ path, text }) => /process\.env\b/.test(text) && path !== 'config.ts' && path !== 'arguments.ts').map(({ path }) => path),
    [],
  )
})

test('the clock and randomness are handed in from resources.ts', t => {
  const own = /\bnew Date\(\)|\bDate\.now\(\)|import \{[^}]*\brandom(Bytes|UUID)\b[^}]*\} from 'node:crypto'/
  const homes = /^resources\.ts$|^platform\/data\//
  t.deepEqual(
    files.filter(({ path, text }) => own.test(text) && !homes.test(path)).map(({ path }) => path),
    [],
  )
})

test('no files import each other in a circle', t => {
  const next = (path: string) => inside.filter(({ from, isType }) => from === path && !isType).map(({ to }) => to)
  const circles: string[] = []
  const walk = (path: string, trail: readonly string[]) => {
    if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
    else for (const to of next(path)) walk(to, [...trail, path])
  }
  for (const { path } of files) walk(path, [])
  t.deepEqual([...new Set(circles)], [])
})

test('a file begins with what it is for, in a sentence', t => {
  t.deepEqual(
    files.filter(({ text }) => !/^(\/\/|\/\*\*) ./.test(text)).map(({ path }) => path),
    [],
  )
})

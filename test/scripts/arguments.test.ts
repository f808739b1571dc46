// Commands with arguments: how they are used is told for --help and for what they do not know, and no stack ever.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { commands as allCommands } from '../../scripts/commands.ts'

interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

// Whatever a command makes it makes here.
const home = mkdtempSync(join(tmpdir(), 'authy2-arguments-'))
test.after.always(() => rmSync(home, { recursive: true, force: true }))

const pathOf = (script: string) => fileURLToPath(new URL(`../../scripts/${script}.ts`, import.meta.url))
const run = (path: string, ...given: string[]): Ended =>
  spawnSync(process.execPath, [path, ...given], {
    encoding: 'utf8',
    cwd: home,
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: resolve(process.env.NODE_COMPILE_CACHE ?? ''), SECRET_KEY: 'k'.repeat(40) },
    timeout: 100_000,
  })

const explained = [...Object.values(allCommands), 'db-seed', 'argon2-native']
const refused: readonly (readonly [script: string, ...given: string[]])[] = [
  ['client-create'],
  ['client-create', 'Name', '--public'],
  ['client-create', 'Name', '--redirect-uri', 'http://app.example/cb'],
  ['client-create', 'Name', '--redirect-uri', 'com.example.app:/cb'],
  ['client-create', 'Name', '--native', '--redirect-uri', 'http://app.example/cb'],
  ['client-create', 'Name', '--first-party', '--permission', 'admins:write'],
  ['client-create', 'Name', '--permission', 'users:read'],
  ['client-create', ''],
  ['client-create', 'Bank\u202ekcehC'],
  ['client-create', 'two\nlines'],
  ['client-create', 'x'.repeat(256)],
  ['user-create'],
  ['user-create', 'nobody'],
  ['user-create', 'ann@people.example', '--name', ''],
  ['user-create', 'ann@people.example', '--name', 'see https://evil.example'],
  ['resource-create', 'https://api.example/#part'],
  ['resource-create', 'https://api.example/', '--scope', 'read write'],
  ['resource-create', 'https://api.example/', '--ttl', '5'],
  ['resource-create', 'not an address'],
  ['backup'],
  ['restore', 'a.age', '--replace'],
  ['move', 'https://db.example'],
  ['db-migrate', 'production'],
  ['keys-rotate', 'KID'],
  ['secrets-reseal', 'count'],
  ['doctor', 'json'],
  ['argon2-native', 'dry-run'],
  ['client-create', 'Name', 'https://app.example/cb'],
  ['user-create', 'ann@people.example', 'Ann'],
  ['resource-create', 'https://api.example/', 'read'],
  ['backup', 'a.age', 'b.age'],
]
const root = fileURLToPath(new URL('../..', import.meta.url))
const swallowed: readonly (readonly [script: string, option: string, ...given: string[]])[] = [
  ['keys:rotate', 'revoke', '--revoke=KID'],
  ['keys:rotate', 'revoke', '--revoke', 'KID'],
  ['secrets:reseal', 'count', '--count'],
  ['argon2:native', 'dry-run', '--dry-run'],
  ['client:create', 'first-party', 'Name', '--first-party'],
]

const ended = new Map<string, Ended>()
const nameOf = (command: readonly string[]) => command.map(one => JSON.stringify(one).slice(1, -1) || "''").join(' ')
const of = (...command: string[]): Ended => ended.get(nameOf(command)) ?? { status: null, stdout: '', stderr: 'was not run' }

test.before(() => {
  const commands = [...explained.flatMap(script => [[script, '--help'] as const, [script, '--no-such-option'] as const]), ...refused]
  const paths = commands.map(([script, ...given]) => [pathOf(script), ...given])
  const { stdout, stderr } = run(fileURLToPath(new URL('../support/run-commands.ts', import.meta.url)), JSON.stringify(paths))
  if (stdout === '') throw new Error(stderr)
  for (const [index, told] of (JSON.parse(stdout) as Ended[]).entries()) ended.set(nameOf(commands[index] ?? []), told)
})

for (const script of explained)
  test(`${script} tells how it is used`, t => {
    const [asked, mistaken] = [of(script, '--help'), of(script, '--no-such-option')]
    t.deepEqual([asked.status, asked.stderr, mistaken.status, mistaken.stdout], [0, '', 2, ''])
    t.regex(asked.stdout, /^Usage: (npm run|authy2) /)
    t.regex(mistaken.stderr, /^[^\n]+--no-such-option[^\n]+\n\nUsage: (npm run|authy2) /)
    t.notRegex(mistaken.stderr, /\n {4}at /)
  })

test('no command that only told how it is used made anything', t => {
  t.deepEqual(readdirSync(home), [])
})

for (const command of refused)
  test(`${nameOf(command)} is refused in a sentence`, t => {
    const { status, stderr } = of(...command)
    t.is(status, 2)
    t.regex(stderr, /^[^\n]+\.\n\nUsage: npm run /)
  })

for (const [script, option, ...given] of swallowed)
  test(`npm run ${script} ${given.join(' ')} is refused, for npm keeps the option`, t => {
    const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', script, ...given], {
      encoding: 'utf8',
      cwd: root,
      env: { PATH: process.env.PATH, DATA_DIR: home, SECRET_KEY: 'k'.repeat(40) },
    })
    t.deepEqual([status, stdout], [2, ''])
    t.regex(stderr, new RegExp(`^npm took --${option} for itself: [^\\n]+\\n\\nUsage: npm run ${script} `))
  })

test('what stands behind the two dashes is not taken for what npm kept', t => {
  const { status, stderr } = spawnSync('npm', ['run', '--silent', 'keys:rotate', '--force', '--', '--force', 'KID'], { encoding: 'utf8', cwd: root })
  t.is(status, 2)
  t.regex(stderr, /^There is nothing to do with KID\.\n/)
})

test('a command that is refused ends its own process so', t => {
  const { status, stderr } = run(pathOf('client-create'))
  t.deepEqual([status, stderr], [2, of('client-create').stderr])
})

test('argon2 is built by npm alone, which brings the tool along, and says so', t => {
  const { status, stderr } = run(pathOf('argon2-native'), '--dry-run')
  t.is(status, 1)
  t.is(stderr, 'npm brings the tool that builds along: run this by npm run argon2:native.\n')
})

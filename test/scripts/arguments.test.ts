// Commands with arguments: how they are used is told for --help and for what they do not know, and no stack ever.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import test from 'ava'

const run = (script: string, ...given: string[]) =>
  spawnSync(process.execPath, [fileURLToPath(new URL(`../../scripts/${script}.ts`, import.meta.url)), ...given], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE },
  })

for (const script of ['client-create', 'user-create', 'resource-create', 'keys-rotate'])
  test(`${script} tells how it is used`, t => {
    const [asked, mistaken] = [run(script, '--help'), run(script, '--no-such-option')]
    t.deepEqual([asked.status, asked.stderr, mistaken.status, mistaken.stdout], [0, '', 2, ''])
    t.regex(asked.stdout, /^Usage: npm run /)
    t.regex(mistaken.stderr, /Usage: npm run /)
    t.notRegex(mistaken.stderr, /\n {4}at /)
  })

for (const [script, ...given] of [
  ['client-create'],
  ['client-create', 'Name', '--public'],
  ['client-create', 'Name', '--redirect-uri', 'http://app.example/cb'],
  ['client-create', 'Name', '--first-party', '--permission', 'admins:write'],
  ['client-create', 'Name', '--permission', 'users:read'],
  ['user-create'],
  ['resource-create', 'not an address'],
] as const)
  test(`${[script, ...given].join(' ')} is refused in a sentence`, t => {
    const { status, stderr } = run(script, ...given)
    t.is(status, 2)
    t.regex(stderr, /^[^\n]+\.\n\nUsage: npm run /)
  })

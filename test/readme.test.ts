// What the documentation says: the README's first steps with the management API, run as they stand there, and tables of what was run.
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { createResults } from './faults/plan/results.ts'
import { table } from './faults/plan/table.ts'
import { startServer, type TestServer } from './support/server.ts'

const run = promisify(execFile)
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const block = /## Management API[\s\S]*?```sh\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
const lines = block.trimEnd().split('\n')

const hasCurl = await run('curl', ['--version']).then(
  ({ stdout }) => Number(/^curl (\d+\.\d+)/.exec(stdout)?.[1]) >= 7.82,
  () => false,
)

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

test('the README shows the API in five lines of curl', t => {
  t.is(lines.length, 5)
  for (const line of lines) t.regex(line, /^(\w+=\$\()?curl -s /)
})

const testWithCurl = hasCurl ? test : test.skip
testWithCurl('each of them answers what the README says (needs curl 7.82 or newer)', async t => {
  // What a line keeps for the next ones is shown after it.
  const shown = lines.map(line => `${line}\n${/^(\w+)=/.test(line) ? `echo "$${line.split('=')[0]}"` : 'echo'}`)
  const script = shown.join('\n').replaceAll('http://localhost:3000', server.issuer)
  const { stdout } = await run('bash', ['-c', script])
  const [token, me, id, client, log] = stdout.trimEnd().split('\n')
  t.regex(token ?? '', /^authy2s_[\w-]{43}$/)
  t.is(JSON.parse(me ?? '').data.email, 'admin@authy2.local')
  t.regex(id ?? '', /^[\da-f-]{36}$/)
  const made = JSON.parse(client ?? '')
  t.is(made.code, 201)
  t.is(made.data.client.organization_id, id)
  t.regex(made.data.secret, /^[\w-]{40,}$/)
  const { data } = JSON.parse(log ?? '')
  t.deepEqual(
    data.slice(0, 1).map(({ action }: { action: string }) => action),
    ['client.created'],
  )
})

test('a row of the fault plan that was run on other sources is told as not run, unless the documentation alone differs', t => {
  const root = mkdtempSync(join(tmpdir(), 'authy2-faults-'))
  t.teardown(() => rmSync(root, { recursive: true }))
  const write = (path: string, text: string) => writeFileSync(join(root, path), text)
  for (const part of ['src', 'docs', 'test/support']) mkdirSync(join(root, part), { recursive: true })
  write('src/server.ts', 'one')
  const results = createResults({ root, folder: join(root, 'kept') })
  const row = { name: 'kill', fault: 'killed', done: 'often' }
  const counts = { requests: 7, failures: 0, failuresAgain: 0, lost: 0, looked: 9, recoverySeconds: 0, slowestSeconds: 1 }
  const told = () => table([row], results)
  t.regex(told(), /not run/)
  const keep = results.begin(row)
  keep({ ...counts, answers: {}, seen: 'all well', broken: [] })
  const first = told()
  t.regex(first, /^Run until \d{4}-\d\d-\d\d \d\d:\d\d UTC on the sources [\da-f]{16}\.\n[\s\S]*\| 7 \|/)
  write('docs/reliability.md', first)
  t.is(told(), first)
  for (const path of ['src/server.ts', 'test/support/calls.ts', 'package-lock.json']) {
    write(path, 'two')
    t.regex(told(), /not run/, path)
    results.begin(row)({ ...counts, answers: {}, seen: '', broken: [] })
    t.notRegex(told(), /not run/, path)
  }
  write('src/server.ts', 'one')
  t.regex(told(), /^Nothing was run on these sources\.\n[\s\S]*not run/, 'what was run on older sources is not told again')
})

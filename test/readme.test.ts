// The README's first steps with the management API, run as they stand there.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import test from 'ava'
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

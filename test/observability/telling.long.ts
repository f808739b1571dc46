// What happens where nobody can be told: a log whose reader is slow or gone, a collector that does not answer; and metrics of several processes.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { createCalls } from '../support/calls.ts'
import { plant } from '../support/canaries.ts'
import { makeDataDir } from '../support/database.ts'
import { startProcess } from '../support/process.ts'
import { sumOf } from '../support/scrape.ts'

const password = plant('AdminPass123!')
const pipeBytes = 64 * 1024
const enough = 8

test('neither a log that nobody reads nor one whose reader is gone, nor a collector that is, stops a sign-in', async t => {
  const { dataDir, remove } = makeDataDir()
  t.teardown(remove)
  const server = await startProcess({ DATA_DIR: dataDir, LOG_LEVEL: 'info', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' })
  const calls = createCalls(server.issuer)
  const login = () =>
    calls.call('/api/v1/auth/login', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'admin@authy2.local', password }),
    })
  t.is((await login()).status, 200)
  const { stderr } = server.process
  stderr?.removeAllListeners('data')
  stderr?.pause()
  const line = '/nowhere-'.padEnd(4000, 'a')
  for (let written = 0; written < pipeBytes * enough; written += line.length) await calls.call(line)
  t.is((await login()).status, 200)
  stderr?.destroy()
  for (let n = 0; n < 50; n += 1) await calls.call('/livez')
  t.is((await login()).status, 200)
  t.true(server.isRunning())
  t.is(sumOf((await calls.call('/metrics')).body, 'authy2_sign_ins_total', { result: 'succeeded' }), 3)
  await calls.close()
  t.is(await server.stop(), 0)
})

test('a scrape of one process of a cluster tells the sum of all, also of one that ended before it was asked', async t => {
  const program = fileURLToPath(new URL('../support/metrics-cluster.ts', import.meta.url))
  const primary = fork(program, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  t.teardown(() => primary.kill())
  const [text] = await once(primary, 'message')
  t.is(sumOf(text, 'authy2_test_total'), 1 + 2 + 3)
  t.is(sumOf(text, 'authy2_test_seconds_count'), 3)
  t.is(sumOf(text, 'authy2_test_highest'), 2)
})

test('without a collector not even the packages of OpenTelemetry are read', t => {
  const about = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  t.truthy(about.dependencies['@opentelemetry/sdk-trace'])
  const resources = readFileSync(new URL('../../src/resources.ts', import.meta.url), 'utf8')
  t.regex(resources, /await import\('\.\/platform\/tracing\/open\.ts'\)/)
})

// What is counted and measured, who is told of it, and that the board, the alerts and the page speak of what there is.
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import * as client from 'openid-client'
import { readConfig } from '../../src/config.ts'
import { createJobTimes } from '../../src/platform/jobs/job-times.ts'
import { startJobs } from '../../src/platform/jobs/run.ts'
import { createGathering, type Snapshot } from '../../src/platform/metrics/gathering.ts'
import { createMetrics } from '../../src/platform/metrics/metrics.ts'
import { createRequestMeter } from '../../src/platform/metrics/requests.ts'
import { createSampled } from '../../src/platform/metrics/sampled.ts'
import { createServices } from '../../src/services.ts'
import { serveWorker } from '../../src/worker-server.ts'
import { assertionOf, jwtBearer, makeKey } from '../support/agents.ts'
import { basic, createCalls, service } from '../support/calls.ts'
import { plant } from '../support/canaries.ts'
import { makeClient, refusal } from '../support/clients.ts'
import { readScrape, sumOf } from '../support/scrape.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const person = { email: 'admin@authy2.local', password: plant('AdminPass123!') }
const metricsToken = plant('a-token-of-the-metrics-of-tests-0123456789')
let server: TestServer
let calls: ReturnType<typeof createCalls>
test.before(async () => {
  server = await startServer()
  calls = createCalls(server.issuer)
})
test.after.always(async () => {
  await calls?.close()
  await server?.close()
})

const scrape = async (headers: Record<string, string> = {}) => (await calls.call('/metrics', { headers })).body
const login = (password: string) =>
  calls.call('/api/v1/auth/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: person.email, password }),
  })
const issue = (form: Record<string, string>, secret: string = service.secret) =>
  calls.post('/oauth2/token', { grant_type: 'client_credentials', ...form }, { authorization: basic({ ...service, secret }) })

test.serial('sign-ins are counted by their way and their result, as often as the audit log has them', async t => {
  const count = async (result: string) => sumOf(await scrape(), 'authy2_sign_ins_total', { method: 'password', result })
  const before = [await count('succeeded'), await count('credentials')]
  await login(person.password)
  await login(plant('a wrong password'))
  await login(plant('another wrong password'))
  t.deepEqual([(await count('succeeded')) - (before[0] ?? 0), (await count('credentials')) - (before[1] ?? 0)], [1, 2])
})

test.serial('tokens are counted by grant and format, and refusals by their code', async t => {
  await issue({})
  await issue({ resource: 'http://localhost:4000/api/es256', scope: 'read' })
  await issue({}, plant('a wrong client secret'))
  await calls.post('/oauth2/token', { grant_type: `urn:x:${randomUUID()}` }, { authorization: basic(service) })
  const text = await scrape()
  const issued = (format: string) => sumOf(text, 'authy2_tokens_issued_total', { grant_type: 'client_credentials', token: 'access_token', format })
  t.deepEqual([issued('opaque'), issued('jwt')], [1, 1])
  t.is(sumOf(text, 'authy2_token_errors_total', { grant_type: 'client_credentials', error: 'invalid_client' }), 1)
  t.is(sumOf(text, 'authy2_token_errors_total', { grant_type: 'other', error: 'unsupported_grant_type' }), 1)
})

test.serial('what a service gets by an assertion is counted as the grant that it asked for', async t => {
  const key = await makeKey()
  const { clientId, configuration } = await makeClient(server, { isFirstParty: false, grantTypes: [jwtBearer], metadata: { jwks: key.jwks } })
  const present = async (more: Record<string, string>) =>
    client.genericGrantRequest(configuration, jwtBearer, { assertion: await assertionOf(server, { clientId, key }), ...more })
  await present({})
  t.is(await refusal(present({ organization: 'acme-corp' })), 'invalid_request')
  const text = await scrape()
  t.is(sumOf(text, 'authy2_tokens_issued_total', { grant_type: jwtBearer, token: 'access_token' }), 1)
  t.is(sumOf(text, 'authy2_token_errors_total', { grant_type: jwtBearer, error: 'invalid_request' }), 1)
})

test.serial('latencies are told by the template of a route, never by a path', async t => {
  const id = randomUUID()
  for (const path of [
    `/api/v1/users/${id}`,
    `/interaction/${id}/password`,
    `/oauth2/authorize/${id}`,
    `/nowhere/${id}`,
    `/assets/${id}.css`,
    '/oauth2/jwks',
    '/oauth2/jwks',
  ])
    await calls.call(path)
  const text = await scrape()
  const count = (route: string) => sumOf(text, 'authy2_http_request_duration_seconds_count', { method: 'GET', route })
  t.deepEqual(
    ['/api/v1/users/:id', '/interaction/:uid/password', '/oauth2/authorize/:uid', 'unmatched', '/assets/:name', '/oauth2/jwks'].map(count),
    [1, 1, 1, 1, 1, 2],
  )
  t.false(text.includes(id))
  t.is(sumOf(text, 'authy2_http_requests_in_flight'), 1)
})

test.serial('the queue is told by kind: what waits, what is late, what was given up', async t => {
  const { pool } = server.resources.database
  const add = (more: string) =>
    pool.query(`INSERT INTO jobs (id, kind, payload, run_at${more ? ', dead_at' : ''}) VALUES ($1, 'test.kind', '', now() - interval '1 hour'${more})`, [
      randomUUID(),
    ])
  await add('')
  await add(', now()')
  const metrics = createMetrics()
  createServices({ ...server.resources, metrics }, readConfig({ NODE_ENV: 'test' }))
  const text = await metrics.scrape('prometheus')
  const of = (name: string) => sumOf(text, name, { kind: 'test.kind' })
  t.deepEqual([of('authy2_jobs_waiting'), of('authy2_jobs_due'), of('authy2_jobs_dead')], [1, 1, 1])
  t.true(of('authy2_jobs_oldest_due_seconds') >= 3600)
  await pool.query("DELETE FROM jobs WHERE kind = 'test.kind'")
})

test('a scrape without a database is answered all the same, and says so', async t => {
  const metrics = createMetrics()
  const sampled = createSampled(() => new Promise<number>(() => {}), { patience: 5 })
  metrics.beforeScrape(sampled.refresh)
  metrics.gauge({ name: 'authy2_test', help: 'x', read: () => [{ value: sampled.value() ?? -1 }] })
  t.is(sumOf(await metrics.scrape('prometheus'), 'authy2_test'), -1)
  t.is(sumOf(await metrics.scrape('prometheus'), 'authy2_test'), -1)
})

test('while an answer is fresh nobody is asked again', async t => {
  let asked = 0
  const sampled = createSampled(async () => ++asked)
  await Promise.all(Array.from({ length: 20 }, sampled.refresh))
  await sampled.refresh()
  t.deepEqual([sampled.value(), asked], [1, 1])
  const failing = createSampled(async () => Promise.reject(new Error('down')), { freshFor: 0 })
  await failing.refresh()
  t.is(failing.value(), undefined)
})

test('services that are made a second time count on', async t => {
  const metrics = createMetrics()
  const description = { name: 'authy2_test_total', help: 'x' } as const
  for (let n = 0; n < 2; n += 1) {
    metrics.counter(description)()
    metrics.gauge({ name: 'authy2_test', help: 'x', read: () => [{ value: n }] })
  }
  const text = await metrics.scrape('prometheus')
  t.deepEqual([sumOf(text, 'authy2_test_total'), sumOf(text, 'authy2_test')], [2, 1])
})

test('a label that takes values without end is told as other', async t => {
  const metrics = createMetrics()
  const count = metrics.counter({ name: 'authy2_test_total', help: 'x', labels: ['word'] })
  for (let n = 0; n < 600; n += 1) count({ word: `w${n}` })
  const text = await metrics.scrape('prometheus')
  t.is(sumOf(text, 'authy2_test_total', { word: 'other' }), 100)
  t.is(readScrape(text).get('authy2_test_total')?.samples.length, 501)
})

test('however many routes were asked for, by whatever methods, an error of the server is told as one', async t => {
  const metrics = createMetrics()
  const meter = createRequestMeter(metrics)
  const observe = (route: string, status: number, method = 'GET') => meter.observe({ method, route, status, startedAt: performance.now() })
  for (let n = 0; n < 600; n += 1) observe(`/r${n}`, 404, `M${n}`)
  observe('/later', 503)
  observe('/r1', 500, 'POST')
  const text = await metrics.scrape('prometheus')
  const count = (labels: Record<string, string>) => sumOf(text, 'authy2_http_request_duration_seconds_count', labels)
  t.deepEqual(
    [count({ status: '5xx' }), count({ route: 'other', status: '5xx', method: 'GET' }), count({ route: '/r1', status: '5xx', method: 'POST' })],
    [2, 1, 1],
  )
  t.deepEqual([count({ status: '4xx', method: 'other' }), count({ status: 'other' })], [600, 0])
})

test('what a process counted stays when it ends, and one that does not answer is told by what it said last', async t => {
  const gathering = createGathering(20)
  const counted = (count: number, open: number): Snapshot =>
    [
      { name: 'authy2_test_total', help: 'x', type: 'counter', aggregator: 'sum', values: [{ value: count, labels: { way: 'a' } }] },
      { name: 'authy2_test', help: 'x', type: 'gauge', aggregator: 'sum', values: [{ value: open, labels: {} }] },
    ] as unknown as Snapshot
  const told = async () => {
    const text = await gathering.tell()
    return [sumOf(text, 'authy2_test_total'), sumOf(text, 'authy2_test')]
  }
  let isSilent = false
  gathering.join(1, async () => (isSilent ? new Promise<Snapshot>(() => undefined) : counted(10, 1)))
  gathering.join(2, async () => counted(5, 1))
  t.deepEqual(await told(), [15, 2])
  isSilent = true
  t.deepEqual(await told(), [15, 2])
  for (const id of [1, 2]) gathering.leave(id)
  t.deepEqual(await told(), [15, 0])
  gathering.join(3, async () => counted(1, 1))
  gathering.join(4, async () => Promise.reject(new Error('down')))
  t.deepEqual(await told(), [16, 1])
  gathering.leave(3)
  gathering.leave(4)
  t.deepEqual(await told(), [16, 0])
})

test('metrics are told as OpenMetrics to whoever asks for it', async t => {
  const answer = await calls.call('/metrics', { headers: { accept: 'application/openmetrics-text; version=1.0.0, text/plain; q=0.5' } })
  t.is(answer.headers['content-type'], 'application/openmetrics-text; version=1.0.0; charset=utf-8')
  t.true(answer.body.endsWith('# EOF\n'))
  const plain = await calls.call('/metrics')
  t.true(String(plain.headers['content-type']).startsWith('text/plain; version=0.0.4'))
  t.false(plain.body.includes('# EOF'))
  t.true(plain.body.includes('# TYPE authy2_sign_ins_total counter'))
})

test('without a token metrics are for this machine alone, and not for whom a proxy speaks', async t => {
  t.is((await calls.call('/metrics')).status, 200)
  t.is((await calls.call('/metrics', { method: 'POST' })).status, 405)
  const strangers: Record<string, string>[] = [
    { 'x-forwarded-for': '203.0.113.7' },
    { forwarded: 'for=203.0.113.7' },
    { via: '1.1 proxy' },
    { host: 'rebound.example' },
  ]
  for (const headers of strangers) {
    const answer = await calls.call('/metrics', { headers })
    t.is(answer.status, 404, JSON.stringify(headers))
    t.false(answer.body.includes('authy2_'))
  }
})

test('a worker tells probes and metrics and nothing else, to whoever has the token', async t => {
  const { server: listening, stop } = await serveWorker(server.resources, { metricsPort: 0, metricsToken, trustedProxies: 1, host: '127.0.0.1' })
  if (!listening) throw new Error('it does not listen')
  const { port } = listening.address() as AddressInfo
  const ask = (path: string, headers: Record<string, string> = {}) => fetch(`http://127.0.0.1:${port}${path}`, { headers })
  t.deepEqual(await Promise.all(['/livez', '/readyz', '/api/health', '/'].map(async path => (await ask(path)).status)), [200, 200, 404, 404])
  const refused = await Promise.all(
    ['', `Bearer ${metricsToken}x`, `Bearer ${metricsToken.slice(1)}`, `Basic ${metricsToken}`, 'Bearer '].map(authorization =>
      ask('/metrics', { authorization }),
    ),
  )
  for (const answer of refused) {
    t.is(answer.status, 401)
    t.true(answer.headers.get('www-authenticate')?.startsWith('Bearer'))
  }
  const told = await ask('/metrics', { authorization: `Bearer ${metricsToken}`, 'x-forwarded-for': '203.0.113.7' })
  t.is(told.status, 200)
  t.is(told.headers.get('x-frame-options'), 'DENY')
  t.true(sumOf(await told.text(), 'authy2_build_info') === 1)
  await stop()
})

test('the page lists every metric, and the board and the alerts use none but those', async t => {
  const page = readFileSync(new URL('../../docs/observability.md', import.meta.url), 'utf8')
  const listed = [...page.matchAll(/^\| `([a-z0-9_]+)` \| (\w+) \| ([a-z_, ]*)\|/gm)].map(([, name = '', type]) => ({ name, type }))
  const redis = listed.filter(({ name }) => name.startsWith('authy2_redis_'))
  const told = readScrape(await scrape())
  const withRedis = server.resources.redis ? [] : redis
  t.deepEqual(listed.toSorted(byName), [...[...told].map(([name, { type }]) => ({ name, type })), ...withRedis].toSorted(byName))
  const names = new Set(listed.map(({ name }) => name))
  for (const file of ['grafana-dashboard.json', 'alerts.yaml']) {
    const text = readFileSync(new URL(`../../docs/${file}`, import.meta.url), 'utf8')
    const used = [...text.matchAll(/\b(?:authy2|nodejs|process)_[a-z0-9_]+/g)].map(([name]) => name)
    t.true(used.length > 10, file)
    t.deepEqual(
      used.filter(name => !names.has(name) && !names.has(name.replace(/_(?:bucket|count|sum)$/, ''))),
      [],
      file,
    )
  }
})

const byName = (one: { name: string }, other: { name: string }) => (one.name < other.name ? -1 : 1)

test('the board is one that Grafana takes', t => {
  const board = JSON.parse(readFileSync(new URL('../../docs/grafana-dashboard.json', import.meta.url), 'utf8'))
  t.like(board, { uid: 'authy2', title: 'Authy2', schemaVersion: 39 })
  const ids = board.panels.map(({ id }: { id: number }) => id)
  t.is(new Set(ids).size, ids.length)
  for (const { type, targets = [], gridPos } of board.panels) {
    t.true(['row', 'stat', 'timeseries'].includes(type))
    t.true(type === 'row' || targets.length > 0)
    t.true(gridPos.x + gridPos.w <= 24)
  }
})

test('tries of jobs are measured by how they end', async t => {
  const metrics = createMetrics()
  const onTried = createJobTimes(metrics)
  const claimed = [{ id: '1', kind: 'test.kind', payload: '', attempt: 1, requestId: 'of-the-asker' }]
  const queue = { ...server.services.queue, claim: async () => claimed.splice(0), open: () => ({}), finish: async () => {}, onAdded: () => () => {} }
  const { log } = server.resources
  const handler = { kind: { name: 'test.kind', maxAttempts: 1, schema: undefined as never }, handle: async () => log.info('a line of the job') }
  const stop = startJobs({ queue, handlers: [handler], log, onTried })
  await until(async () => sumOf(await metrics.scrape('prometheus'), 'authy2_job_duration_seconds_count', { kind: 'test.kind', result: 'done' }) === 1)
  await stop()
  const line = server
    .logged()
    .split('\n')
    .find(one => one.includes('a line of the job'))
  t.is(JSON.parse(line ?? '{}').request_id, 'of-the-asker')
})

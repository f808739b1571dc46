// A traced sign-in is one connected trace, of which a collector is told neither secrets nor who it was.
import { randomBytes, randomUUID } from 'node:crypto'
import test from 'ava'
import { currentContext, runFor } from '../../src/platform/context.ts'
import { createBatch } from '../../src/platform/data/batch.ts'
import { toldFetch } from '../../src/platform/tracing/fetch.ts'
import type { Span } from '../../src/platform/tracing/tracing.ts'
import { basic, createCalls, service } from '../support/calls.ts'
import { foundIn, plant } from '../support/canaries.ts'
import { makeClient } from '../support/clients.ts'
import { startCollector, type ToldSpan } from '../support/collector.ts'
import { createPerson } from '../support/person.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

let collector: Awaited<ReturnType<typeof startCollector>>
const spans = () => collector.spans()
const ofTrace = (traceId: string) => spans().filter(span => span.traceId === traceId)
const newTrace = () => {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')]
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-01` }
}

let server: TestServer
let calls: ReturnType<typeof createCalls>
test.before(async () => {
  collector = await startCollector()
  server = await startServer({ settings: collector.settings })
  calls = createCalls(server.issuer)
})
test.after.always(async () => {
  await calls?.close()
  await server?.close()
  collector?.close()
})

/** What hangs together: every span but the first has its parent in the trace. */
const isConnected = (found: readonly ToldSpan[], remote: string) => {
  const ids = new Set([remote, ...found.map(({ spanId }) => spanId)])
  return found.every(({ parentSpanId }) => parentSpanId !== undefined && ids.has(parentSpanId))
}

test('a whole sign-in with one traceparent is one connected trace, without a secret or a person in it', async t => {
  const { traceId, spanId, traceparent } = newTrace()
  const email = `${randomUUID()}@people.example`
  const password = plant(`canary password ${randomUUID()}`)
  const userId = await register(email, password)
  const app = await makeClient(server)
  const { back, tokens } = await app.signIn({ person: createPerson({ traceparent }), who: { email, password }, parameters: { scope: 'openid offline_access' } })
  await until(() => ofTrace(traceId).some(({ name }) => name === 'POST /interaction/:uid/password'))
  await until(() => ofTrace(traceId).some(({ name }) => name === 'GET /oauth2/authorize/:uid'))
  const found = ofTrace(traceId)
  t.true(isConnected(found, spanId))
  t.deepEqual(collector.asked, new Set(['POST /v1/traces application/json abc']))
  const names = new Set(found.map(({ name }) => name))
  for (const name of ['GET /oauth2/authorize', 'POST /interaction/:uid/identifier', 'password-of']) t.true(names.has(name), name)
  t.true(found.filter(({ kind }) => kind === 3).length > 10)
  if (server.resources.redis) t.true(names.has('set') && names.has('get'))
  const told = collector.text()
  const secrets = [password, tokens.access_token, tokens.refresh_token ?? '', tokens.id_token ?? '', back.searchParams.get('code') ?? ''].filter(Boolean)
  t.true(secrets.length >= 4)
  t.deepEqual(foundIn(told, [...secrets, app.secret, email, userId]), [])
  t.deepEqual(foundIn(told), [])
  t.false(/\?(?:[a-z_]+=)/.test(told.replaceAll('\\', '')))
})

test('a job is a trace of its own with a link to the request that asked for it', async t => {
  const { traceId, traceparent } = newTrace()
  const requestId = `asker-${randomUUID()}`
  await post('/auth/password/forgot', { email: 'admin@authy2.local' }, { traceparent, 'x-request-id': requestId })
  const isAsked = ({ links = [] }: ToldSpan) => links.some(link => link.traceId === traceId)
  await until(() => spans().some(isAsked) && ofTrace(traceId).length > 0)
  const job = spans().find(isAsked)
  t.not(job?.traceId, traceId)
  t.is(job?.kind, 5)
  t.true(ofTrace(traceId).some(({ spanId }) => spanId === job?.links?.[0]?.spanId))
})

test('a token request is told by its route, its status and its statements, and its log lines by the trace', async t => {
  const { traceId, spanId, traceparent } = newTrace()
  await calls.post('/oauth2/token', { grant_type: 'client_credentials' }, { authorization: basic(service), traceparent })
  await until(() => ofTrace(traceId).some(({ parentSpanId }) => parentSpanId === spanId))
  const root = ofTrace(traceId).find(({ parentSpanId }) => parentSpanId === spanId)
  t.is(root?.name, 'POST /oauth2/token')
  t.deepEqual(
    root?.attributes.map(({ key }) => key),
    ['http.request.method', 'http.route', 'http.response.status_code'],
  )
  const line = server
    .logged()
    .split('\n')
    .find(one => one.includes(traceId))
  t.like(JSON.parse(line ?? '{}'), { trace_id: traceId, route: '/oauth2/token', method: 'POST', status: 200 })
})

test('a malformed traceparent begins a trace of its own', async t => {
  const { traceId } = newTrace()
  for (const traceparent of ['x', `00-${traceId}-0000000000000000-01`, `ff-${traceId}-0123456789abcdef-01`, `00-${'0'.repeat(32)}-0123456789abcdef-01`])
    t.is((await calls.call('/livez', { headers: { traceparent } })).status, 200)
  await until(() => spans().filter(({ name }) => name === 'GET /livez').length === 4)
  const probes = spans().filter(({ name }) => name === 'GET /livez')
  t.true(probes.every(span => span.traceId !== traceId && !span.parentSpanId))
})

test('what is fetched elsewhere is told by host and status, and hears nothing of the trace', async t => {
  const children: string[] = []
  const span: Span = {
    traceId: '',
    traceparent: '',
    rename: () => {},
    set: attributes => void children.push(JSON.stringify(attributes)),
    child: (name, { attributes = {} } = {}) => {
      children.push(name, JSON.stringify(attributes))
      return span
    },
    end: () => {},
  }
  let heard: RequestInit | undefined
  const fetched = toldFetch(async (_input, init) => {
    heard = init
    return new Response('')
  })
  await runFor({ span }, () => fetched('https://elsewhere.example/secret/path?token=abc', { method: 'POST' }))
  t.deepEqual(children, ['POST elsewhere', '{"http.request.method":"POST","server.address":"elsewhere.example"}', '{"http.response.status_code":200}'])
  t.deepEqual(heard, { method: 'POST' })
})

test('a statement that several requests share runs for the first, and each goes on for itself', async t => {
  const ranFor: unknown[] = []
  const batched = createBatch<string, string>({
    run: async items => {
      ranFor.push(currentContext()?.requestId)
      return items
    },
  })
  const one = (requestId: string) => runFor({ requestId }, async () => [await batched(requestId), currentContext()?.requestId])
  t.deepEqual(await Promise.all([one('a'), one('b')]), [
    ['a', 'a'],
    ['b', 'b'],
  ])
  t.deepEqual(ranFor, ['a'])
})

const post = (path: string, body: object, headers: Record<string, string> = {}) =>
  calls.call(`/api/v1${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) })

const register = async (email: string, password: string): Promise<string> => {
  const { json } = await post('/auth/register', { email, password, full_name: 'Ida Traced' })
  return String((json.data as { id: string }).id)
}

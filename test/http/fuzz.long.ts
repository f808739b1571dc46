// Thousands of made-up requests to the protocol's endpoints: never a failure of ours, never astray. FUZZ_SEED repeats a run.
import test from 'ava'
import fc from 'fast-check'
import { type Calls, createCalls, portal, type Reply } from '../support/calls.ts'
import { prepareTrack } from '../support/race.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { evils, prepareSurfaces, protocolSurfaces, type Surface } from '../support/surfaces.ts'

const runs = Number(process.env.FUZZ_RUNS ?? 4000)
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)

let server: TestServer
let calls: Calls
let initialToken: string
const failures: string[] = []
/** Stands for the cookies of somebody who is signed in, who are known only when the server runs. */
const signedIn = 'signed in'
let sessionCookies = ''
test.before(async () => {
  server = await startServer()
  calls = createCalls(server.issuer)
  initialToken = await prepareSurfaces(server)
  sessionCookies = (await prepareTrack({ services: server.services, calls, issuer: server.issuer })).cookie
  server.app.protocol.engine.current().on('server_error', (ctx, error) => failures.push(`${ctx.path}: ${error.stack}`))
})
test.after.always(async () => {
  await calls?.close()
  await server?.close()
})

const encoded = (value: string) => encodeURIComponent(value.toWellFormed())
const others = protocolSurfaces.flatMap(({ fields }) => Object.values(fields))
const jsonText = fc.json({ maxDepth: 4 }).map(encoded)

/** A value as it stands in a form: sound, somebody else's, evil or anything at all. */
const value = (sound: string) =>
  fc.oneof(
    { weight: 5, arbitrary: fc.constant(encoded(sound)) },
    { weight: 2, arbitrary: fc.constantFrom(...others).map(encoded) },
    { weight: 2, arbitrary: fc.constantFrom(...Object.values(evils)) },
    { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }).map(encoded) },
    {
      weight: 1,
      arbitrary: fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 40 }).map(bytes => Buffer.from(bytes).toString('hex').replace(/../g, '%$&')),
    },
    { weight: 1, arbitrary: jsonText },
  )

const strangeName = fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'a[b]', 'a.b', '', '%00', 'client_id[]', 'scope[0]')

// Sound but for a few members that are left out, changed, doubled or strange.
const form = ({ fields }: Surface) => {
  const { request: _request, request_uri: _requestUri, registration: _registration, id_token_hint: _hint, ...plain } = fields
  const names = Object.keys(fields)
  return fc
    .record({
      left: fc.subarray(names, { maxLength: Math.min(3, names.length) }),
      changed: fc.uniqueArray(
        fc.constantFrom(...names).chain(name => fc.tuple(fc.constant(name), value(fields[name] ?? ''))),
        { maxLength: 2, selector: ([name]) => name },
      ),
      doubled: fc.array(
        fc.constantFrom(...names).chain(name => fc.tuple(fc.constant(name), value(fields[name] ?? ''))),
        { maxLength: 1 },
      ),
      strange: fc.array(fc.tuple(strangeName, value('x')), { maxLength: 1 }),
    })
    .map(({ left, changed, doubled, strange }) => {
      const sound = Object.entries(plain).map(([name, one]) => [name, encoded(one)] as const)
      const kept = new Map<string, string>([...sound.filter(([name]) => !left.includes(name)), ...changed])
      return [...kept, ...doubled, ...strange].map(([name, one]) => `${name}=${one}`).join('&')
    })
}

const headers = (surface: Surface) =>
  fc.record({
    authorization: fc.oneof(
      { weight: 12, arbitrary: fc.constant(surface.headers?.authorization ?? '') },
      { weight: 1, arbitrary: fc.constantFrom('Basic', 'Bearer x', 'Basic Og==', 'DPoP x', `Bearer ${'x'.repeat(43)}`) },
      { weight: 1, arbitrary: fc.base64String({ maxLength: 60 }).map(text => `Basic ${text}`) },
    ),
    accept: fc.constantFrom('text/html', 'application/json', '*/*', 'application/jwt', 'application/token-introspection+jwt', ''),
    dpop: fc.oneof({ weight: 8, arbitrary: fc.constant('') }, { weight: 1, arbitrary: fc.constantFrom('a.b.c', 'x', '{}') }),
    cookie: fc.constantFrom('', 'session=x; session.sig=y', 'interaction=x', '__proto__=x', signedIn),
    origin: fc.constantFrom('', 'https://evil.example', 'null', 'http://localhost:4000'),
  })

const request = fc
  .constantFrom(...protocolSurfaces)
  .chain(surface => fc.record({ surface: fc.constant(surface), text: form(surface), headers: headers(surface) }))

const send = ({ surface, text, headers: given }: { surface: Surface; text: string; headers: Record<string, string> }): Promise<Reply> => {
  const told = Object.fromEntries(Object.entries(given).flatMap(([name, one]) => (one === '' ? [] : [[name, one === signedIn ? sessionCookies : one]])))
  if (surface.isQuery) return calls.call(`${surface.path}?${text.slice(0, 12_000)}`, { headers: told })
  return calls.call(surface.path, { method: 'POST', headers: { ...told, 'content-type': 'application/x-www-form-urlencoded' }, body: text })
}

const isOurs = (location: string) =>
  location.startsWith('/') || [server.issuer, portal.redirectUri, 'http://localhost:4000/'].some(start => location.startsWith(start))

const mustHold = (reply: Reply) => {
  if (reply.status === 0 || reply.status >= 500) throw new Error(`${reply.status} ${reply.body.slice(0, 300)}`)
  const { location } = reply.headers
  if (typeof location === 'string' && (!isOurs(location) || location.startsWith('//'))) throw new Error(`led to ${location}`)
  if (/node_modules|at .*\.ts:\d+|SELECT |oidc_artifacts/.test(reply.body)) throw new Error(`told internals: ${reply.body.slice(0, 300)}`)
  if (failures.length > 0) throw new Error(failures[0])
  if ('polluted' in {}) throw new Error('a prototype was polluted')
}

test.serial(`no made-up form fails or leads astray (seed ${seed})`, async t => {
  t.timeout(600_000)
  const statuses: Record<string, number> = {}
  await fc.assert(
    fc.asyncProperty(request, async made => {
      const reply = await send(made)
      statuses[reply.status] = (statuses[reply.status] ?? 0) + 1
      mustHold(reply)
    }),
    { numRuns: runs, seed, endOnFailure: true },
  )
  t.log(`${runs} requests, seed ${seed}: ${JSON.stringify(statuses)}`)
  t.pass()
})

test.serial(`no made-up registration fails (seed ${seed})`, async t => {
  t.timeout(600_000)
  const members = [
    'redirect_uris',
    'client_name',
    'grant_types',
    'response_types',
    'token_endpoint_auth_method',
    'jwks',
    'contacts',
    'scope',
    'client_uri',
    'default_max_age',
  ]
  const metadata = fc.dictionary(fc.oneof(fc.constantFrom(...members), fc.string({ maxLength: 12 })), fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' }), {
    maxKeys: 8,
  })
  const statuses: Record<string, number> = {}
  await fc.assert(
    fc.asyncProperty(metadata, fc.boolean(), async (made, isSound) => {
      const body = JSON.stringify({ ...(isSound ? { redirect_uris: ['https://rp.example/cb'] } : {}), ...made })
      const reply = await calls.call('/oauth2/register', {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${initialToken}` },
        body,
      })
      statuses[reply.status] = (statuses[reply.status] ?? 0) + 1
      mustHold(reply)
    }),
    { numRuns: Math.ceil(runs / 4), seed, endOnFailure: true },
  )
  t.log(`${Math.ceil(runs / 4)} registrations, seed ${seed}: ${JSON.stringify(statuses)}`)
  t.pass()
})

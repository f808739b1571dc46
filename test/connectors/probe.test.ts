// What is asked of a provider for its administrator: metadata is read from the open internet alone, and nothing is told of what else is there.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import { z } from 'zod'
import type { Connector } from '../../src/connectors/connector.ts'
import { createProbe } from '../../src/connectors/probe.ts'
import type { Actor } from '../../src/platform/actor.ts'
import { Problem } from '../../src/platform/errors.ts'
import { createOutbound } from '../../src/platform/http/outbound.ts'
import { openLog } from '../../src/platform/log.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let provider: Server
let origin: string
let hits = 0
test.before(async () => {
  provider = createServer((request, response) => {
    hits += 1
    const { url } = request
    if (url === '/metadata') response.end('<metadata of="a provider"/>')
    else if (url === '/redirect') response.writeHead(302, { location: '/metadata' }).end()
    else if (url === '/large') response.end(`<metadata>${'x'.repeat(100_000)}</metadata>`)
    else if (url === '/hang-up') request.socket.destroy()
    else response.writeHead(404).end('<metadata of="nobody"/>')
  })
  provider.listen(0, 'localhost')
  await once(provider, 'listening')
  origin = `http://localhost:${(provider.address() as AddressInfo).port}`
  server = await startServer()
})
test.after.always(async () => {
  provider?.close()
  await server?.close()
})

const settings = z.strictObject({ of: z.string() })
/** Reads documents that say whose they are. */
const reader: Connector = {
  id: 'reader',
  name: 'Reader',
  settings,
  secrets: z.strictObject({}),
  authorityOf: () => '',
  begin: async () => ({ kept: {} }),
  complete: async () => ({ subject: 'somebody', isEmailVerified: false, claims: {} }),
  test: async () => [],
  readSettings: document => {
    const of = /of="([^"]+)"/.exec(document)?.[1]
    if (of === undefined) throw new Problem('validation_failed')
    return { of }
  },
}
const { readSettings: _reads, ...deaf } = { ...reader, id: 'deaf' }

const lines: { readonly msg?: string; readonly causes?: readonly string[] }[] = []
const log = openLog('warn', { write: line => lines.push(JSON.parse(line)) })
const probeWith = ({ isLoopbackAllowed }: { isLoopbackAllowed: boolean }) => {
  const { database } = server.resources
  const { change, limit } = server.services
  const connectors = new Map<string, Connector>([reader, deaf].map(one => [one.id, one]))
  return createProbe({ database, change, limit, connectors, log, openRow: () => undefined, fetch: createOutbound({ isLoopbackAllowed })({ maxBytes: 65_536 }) })
}
let callers = 0
const caller = (): Actor => ({ kind: 'user', id: `caller-${++callers}`, permissions: new Set() })
const faultOf = async (asked: Promise<unknown>) => {
  const error = await asked.then(
    () => undefined,
    (error: unknown) => error,
  )
  return error instanceof Problem ? `${error.code} ${error.fields?.map(({ path, message }) => `${path} ${message}`).join() ?? ''}`.trim() : String(error)
}

test.serial('a document says the settings, itself or by its address', async t => {
  const probe = probeWith({ isLoopbackAllowed: true })
  t.deepEqual(await probe.readMetadata(caller(), { connector: 'reader', document: '<metadata of="me"/>' }), { of: 'me' })
  t.deepEqual(await probe.readMetadata(caller(), { connector: 'reader', url: `${origin}/metadata` }), { of: 'a provider' })
})

test.serial('whatever is wrong with an address is told in the same words', async t => {
  const probe = probeWith({ isLoopbackAllowed: true })
  for (const url of [
    `${origin}/redirect`,
    `${origin}/missing`,
    `${origin}/large`,
    `${origin}/hang-up`,
    'http://localhost:1/',
    'https://no-such-host.invalid/',
    'http://a:b@localhost/',
  ])
    t.is(await faultOf(probe.readMetadata(caller(), { connector: 'reader', url })), 'validation_failed metadata_url cannot be read', url)
})

test.serial('why an address cannot be read is kept for the log', async t => {
  const probe = probeWith({ isLoopbackAllowed: true })
  const causeOf = async (url: string) => {
    const error = await t.throwsAsync(probe.readMetadata(caller(), { connector: 'reader', url }), { instanceOf: Problem })
    t.true(error?.cause instanceof Error, url)
    const { msg, causes } = lines.at(-1) ?? {}
    t.is(msg, 'metadata of another provider cannot be read')
    return String(causes)
  }
  t.regex(await causeOf('http://localhost:1/'), /bad port/)
  t.regex(await causeOf(`${origin}/missing`), /404/)
  t.regex(await causeOf('https://no-such-host.invalid/'), /no-such-host/)
})

test.serial('what is inside is not connected to', async t => {
  const probe = probeWith({ isLoopbackAllowed: false })
  const before = hits
  const inside = [
    `${origin}/metadata`,
    origin.replace('localhost', '127.0.0.1'),
    origin.replace('http:', 'https:'),
    'http://169.254.169.254/latest/meta-data',
    'https://[::1]/',
  ]
  for (const url of inside)
    t.is(await faultOf(probe.readMetadata(caller(), { connector: 'reader', url })), 'validation_failed metadata_url cannot be read', url)
  t.is(hits, before)
})

test.serial('a connector that reads no documents says so, and asks nobody', async t => {
  const probe = probeWith({ isLoopbackAllowed: true })
  const before = hits
  t.is(
    await faultOf(probe.readMetadata(caller(), { connector: 'deaf', url: `${origin}/metadata` })),
    'validation_failed metadata_url is nothing that this connector reads',
  )
  t.is(
    await faultOf(probe.readMetadata(caller(), { connector: 'nothing', document: 'x' })),
    'validation_failed metadata_xml is nothing that this connector reads',
  )
  t.is(hits, before)
})

test.serial('nobody has us connect elsewhere endlessly', async t => {
  const probe = probeWith({ isLoopbackAllowed: true })
  const [one, other] = [caller(), caller()]
  const ask = (actor: Actor) => faultOf(probe.readMetadata(actor, { connector: 'reader', url: `${origin}/missing` }))
  for (let count = 0; count < 30; count += 1) t.is(await ask(one), 'validation_failed metadata_url cannot be read')
  const before = hits
  t.is(await ask(one), 'too_many_attempts')
  t.is(hits, before)
  t.is(await ask(other), 'validation_failed metadata_url cannot be read')
})

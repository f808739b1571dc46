// Fetching what others name: an address inside is never connected to, in whichever writing (counted by a listener there).
import type { lookup } from 'node:dns'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import test from 'ava'
import { createOutbound, isPublicAddress } from '../../../src/platform/http/outbound.ts'

let canary: Server
let port: number
let connections = 0
test.before(async () => {
  canary = createServer((request, response) => {
    if (request.url === '/redirect') response.writeHead(302, { location: '/target' }).end()
    else if (request.url === '/large') response.end('x'.repeat(1_000_000))
    else if (request.url === '/packed') response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('x'.repeat(10_000_000)))
    else if (request.url === '/drip') {
      const drip = setInterval(() => response.write('x'), 500)
      response.on('close', () => clearInterval(drip))
    } else if (request.url === '/slow') setTimeout(() => response.end('late'), 20_000).unref()
    else if (request.url === '/whom') response.end(request.socket.localAddress?.replace('::ffff:', ''))
    else response.end('here')
  })
  canary.on('connection', () => {
    connections += 1
  })
  canary.listen(0, '::')
  await once(canary, 'listening')
  port = (canary.address() as AddressInfo).port
})
test.after.always(() => {
  canary.close()
  canary.closeAllConnections()
})

const strict = createOutbound({ isLoopbackAllowed: false })()
const lenient = createOutbound({ isLoopbackAllowed: true })()

const inside = [
  'localhost',
  'LOCALHOST',
  'localhost.',
  '127.0.0.1',
  '127.1',
  '127.0.1',
  '127.255.255.254',
  '2130706433',
  '0x7f000001',
  '0x7f.1',
  '0177.0.0.1',
  '017700000001',
  '127.0.0.1.',
  '１２７.0.0.1',
  '127。0。0。1',
  '0.0.0.0',
  '0',
  '[::1]',
  '[::]',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[0:0:0:0:0:ffff:7f00:1]',
  '[::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[64:ff9b:1::7f00:1]',
  '[2002:7f00:1::]',
  '[2001::7f00:1]',
  '[fe80::1]',
  '[fc00::1]',
  '[fd00:ec2::254]',
  '[ff02::1]',
  '10.0.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.0.1',
  '169.254.169.254',
  '100.64.0.1',
  '192.0.0.1',
  '198.18.0.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
]

test.serial('no writing of an address inside is ever connected to', async t => {
  t.true(inside.length >= 40)
  for (const host of inside)
    for (const protocol of ['https', 'http']) {
      const error = await t.throwsAsync(strict(`${protocol}://${host}:${port}/`), undefined, `${protocol} ${host}`)
      const names = [error?.name, error?.cause instanceof Error ? error.cause.name : undefined]
      t.true(names.includes('ForbiddenAddress') || error instanceof TypeError, `${host}: ${names}`)
    }
  t.is(connections, 0)
})

test.serial('credentials, other protocols and plain http are refused', async t => {
  for (const url of [
    `http://93.184.216.34:${port}/`,
    'ftp://example.com/',
    'file:///etc/passwd',
    'gopher://example.com/',
    'data:text/plain,x',
    'https://user:password@example.com/',
  ])
    await t.throwsAsync(strict(url), { name: 'ForbiddenAddress' }, url)
})

// IPv4 in IPv6 as it was written once, what is thrown away, and what Azure tells each of its machines alone.
const special = ['::7f00:1', '::a9fe:a9fe', '100::1', '100:0:0:1::1', '168.63.129.16', '::ffff:168.63.129.16']

test('only addresses that everybody can reach are public', t => {
  for (const address of ['93.184.216.34', '1.1.1.1', '168.63.129.17', '2606:4700::1111']) t.true(isPublicAddress(address), address)
  for (const address of ['127.0.0.1', '10.1.2.3', '::1', '::ffff:10.0.0.1', 'fe80::1', '2002::1', '64:ff9b::1', ...special, 'localhost', '', 'x', '999.1.1.1'])
    t.false(isPublicAddress(address), address)
})

test.serial('in development the loopback is fetched, redirects are not followed and answers stay small and quick', async t => {
  t.is(await (await lenient(`http://127.0.0.1:${port}/`)).text(), 'here')
  t.is((await lenient(`http://127.0.0.1:${port}/redirect`)).status, 302)
  await t.throwsAsync(async () => (await lenient(`http://127.0.0.1:${port}/large`)).text())
  const startedAt = performance.now()
  await t.throwsAsync(lenient(`http://127.0.0.1:${port}/slow`))
  t.true(performance.now() - startedAt < 6000)
})

test.serial('in development addresses inside other than the loopback stay closed', async t => {
  for (const host of ['10.0.0.1', '169.254.169.254', '[fd00::1]', '0.0.0.0', '192.168.1.1'])
    await t.throwsAsync(lenient(`http://${host}:${port}/`), { name: 'ForbiddenAddress' }, host)
})

// What a name may resolve to, told by a resolver of the test's own.
const resolving = (...answers: readonly (readonly string[])[]) => {
  let asked = 0
  const resolve = (_host: string, _options: object, callback: (error: null, addresses: { address: string; family: number }[]) => void) => {
    const addresses = answers[Math.min(asked, answers.length - 1)] ?? []
    asked += 1
    callback(null, [...addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 }))])
  }
  return { resolve: resolve as unknown as typeof lookup, asked: () => asked }
}

for (const [name, ...answers] of [
  ['an address inside', ['127.0.0.1']],
  ['an address inside, mapped to IPv6', ['::ffff:127.0.0.1']],
  ['the metadata service of a cloud', ['169.254.169.254']],
  ['an address outside and one inside', ['93.184.216.34', '127.0.0.1']],
  ['an address inside and one outside', ['127.0.0.1', '93.184.216.34']],
  ['IPv4 outside and IPv6 inside', ['93.184.216.34', '::1']],
  ['nothing', []],
] as const)
  test.serial(`a name that resolves to ${name} is not connected to`, async t => {
    const before = connections
    const { resolve } = resolving(...(answers as readonly (readonly string[])[]))
    const fetched = createOutbound({ isLoopbackAllowed: false, resolve })()(`https://rebinding.example:${port}/`)
    const error = await t.throwsAsync(fetched)
    t.is((error?.cause as Error | undefined)?.name, 'ForbiddenAddress')
    t.is(connections, before)
  })

test.serial('a name is resolved once: what it resolves to afterwards is not connected to', async t => {
  const { resolve, asked } = resolving(['127.0.0.1'], ['127.0.0.2'])
  const fetch = createOutbound({ isLoopbackAllowed: true, resolve })()
  t.is(await (await fetch(`http://rebinding.example:${port}/whom`)).text(), '127.0.0.1')
  t.is(asked(), 1)
})

test.serial('what an operator allows is connected to, and nothing beside it', async t => {
  const fetch = createOutbound({ isLoopbackAllowed: false, allowed: ['127.0.0.8/30', 'fd00::/8'] })()
  // It speaks no TLS: that it was reached is enough.
  const before = connections
  await t.throwsAsync(fetch(`https://127.0.0.9:${port}/`))
  t.is(connections, before + 1)
  for (const host of ['127.0.0.1', '127.0.0.12', '10.0.0.1', '[::1]', '[::ffff:127.0.0.1]'])
    await t.throwsAsync(fetch(`https://${host}:${port}/`), { name: 'ForbiddenAddress' }, host)
  t.is(connections, before + 1)
})

test.serial('what is packed, though it was asked not to be, is not unpacked', async t => {
  await t.throwsAsync(lenient(`http://127.0.0.1:${port}/packed`), { message: /packed/ })
})

test.serial('an answer that drips is given up after five seconds', async t => {
  const startedAt = performance.now()
  await t.throwsAsync(async () => (await lenient(`http://127.0.0.1:${port}/drip`)).text())
  t.true(performance.now() - startedAt < 7000)
})

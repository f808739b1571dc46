// The address of a caller: what a proxy wrote, in one spelling, and its own where that is none.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import Koa from 'koa'
import { takePlainAddress } from '../../../src/platform/http/address.ts'

let origin: string
const koa = new Koa({ proxy: true, maxIpsCount: 1 })
koa.use(takePlainAddress)
koa.use(ctx => {
  ctx.body = ctx.ip
})
const server = createServer(koa.callback())
test.before(async () => {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
test.after.always(() => server.close())

const told = async (forwarded: string) => (await fetch(origin, { headers: { 'x-forwarded-for': forwarded } })).text()

for (const [title, address, writings] of [
  ['IPv4', '198.51.100.7', ['198.51.100.7', '198.51.100.7:52018', '203.0.113.9, 198.51.100.7:1', '::ffff:198.51.100.7', '[::FFFF:c633:6407]:52018']],
  [
    'IPv6',
    '2001:db8::7',
    ['2001:db8::7', '2001:DB8::7', '2001:0db8:0:0:0:0:0:7', '[2001:db8::7]', '[2001:db8::7]:52018', '2001:db8::7%eth0', '203.0.113.9, [2001:db8:0::7]:1'],
  ],
] as const)
  test(`${title} is one address in every writing, with a port and without`, async t => {
    for (const writing of writings) t.is(await told(writing), address, writing)
  })

test('where a proxy wrote what is no address, the request comes from the proxy', async t => {
  const written = [
    'junk<script>',
    'unknown',
    '_hidden',
    'a'.repeat(3000),
    '198.51.100.300',
    '198.51.100.7:port',
    '[2001:db8::7',
    '[]:80',
    '[::1]x',
    ':',
    'dead:beef',
  ]
  for (const one of written) t.is(await told(one), '127.0.0.1', one)
})

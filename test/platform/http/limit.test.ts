// Limits: a budget a key and window, exact under many at once, closed when the store is gone.
import test from 'ava'
import type { Database } from '../../../src/platform/data/database.ts'
import { openRedis, type Redis } from '../../../src/platform/data/redis.ts'
import { Problem } from '../../../src/platform/errors.ts'
import { plainAddress } from '../../../src/platform/http/address.ts'
import { addressKey, createLimits, networkOf } from '../../../src/platform/http/limit.ts'
import { openTestDatabase } from '../../support/database.ts'
import { hasRedis, startRedis } from '../../support/redis-server.ts'
import { until } from '../../support/until.ts'

let database: Database
let redis: Redis | undefined
const ends: (() => Promise<void>)[] = []
test.before(async () => {
  database = await openTestDatabase()
  ends.push(() => database.close())
  if (!(await hasRedis())) return
  const server = await startRedis()
  const opened = await openRedis(server.url, undefined, { commandTimeout: 5000 })
  redis = opened
  ends.push(server.remove, opened.close)
})
test.after.always(async () => {
  for (const end of ends.reverse()) await end()
})

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
    return 'taken'
  } catch (error) {
    if (error instanceof Problem) return error.code
    throw error
  }
}

for (const store of ['the database', 'Redis'] as const) {
  const limits = () => createLimits({ database, redis: store === 'Redis' ? redis : undefined })
  const isThere = () => store === 'the database' || redis !== undefined

  test(`of many at once in ${store} exactly as many are taken as there are points`, async t => {
    if (!isThere()) return t.log('skipped: there is no redis-server')
    const limit = limits()(`many-${store}`, { points: 7, durationSeconds: 60 })
    const codes = await Promise.all(Array.from({ length: 30 }, () => codeOf(limit.consume('key'))))
    t.is(codes.filter(code => code === 'taken').length, 7)
    t.is(codes.filter(code => code === 'too_many_attempts').length, 23)
  })

  test(`a key may be as long as an address is, and stands nowhere in ${store}`, async t => {
    if (!isThere()) return t.log('skipped: there is no redis-server')
    const key = `ada@${'a'.repeat(300)}.example`
    t.is(await codeOf(limits()(`long-${store}`, { points: 1, durationSeconds: 60 }).consume(key)), 'taken')
    const kept = store === 'Redis' ? await redis?.client.keys('*') : (await database.prisma.rateLimit.findMany()).map(({ key }) => key)
    t.false(JSON.stringify(kept).includes('ada@'))
  })

  test(`a refusal of ${store} says when to come again`, async t => {
    if (!isThere()) return t.log('skipped: there is no redis-server')
    const limit = limits()(`when-${store}`, { points: 1, durationSeconds: 60 })
    await limit.consume('key')
    const refusal = await t.throwsAsync<Problem>(limit.consume('key'), { code: 'too_many_attempts' })
    t.true((refusal?.retryAfterSeconds ?? 0) > 50 && (refusal?.retryAfterSeconds ?? 0) <= 60)
  })

  test(`keys and limits of ${store} do not touch each other, whatever they are called`, async t => {
    if (!isThere()) return t.log('skipped: there is no redis-server')
    const one = limits()(`one-${store}`, { points: 1, durationSeconds: 60 })
    const other = limits()(`other-${store}`, { points: 1, durationSeconds: 60 })
    for (const key of ['a', 'b', '__proto__', "'; DROP TABLE users; --", 'x'.repeat(150)]) {
      t.is(await codeOf(one.consume(key)), 'taken', key)
      t.is(await codeOf(other.consume(key)), 'taken', key)
      t.is(await codeOf(one.consume(key)), 'too_many_attempts', key)
    }
  })

  test(`a key that is cleared in ${store} begins anew, and the first refusal is told again`, async t => {
    if (!isThere()) return t.log('skipped: there is no redis-server')
    const limit = limits()(`clear-${store}`, { points: 1, durationSeconds: 60 })
    const told: string[] = []
    const take = (key: string) => codeOf(limit.consume(key, { onFirstRefusal: async () => void told.push(key) }))
    for (const key of ['a', 'a', 'a', 'b', 'b']) await take(key)
    await limit.clear('a')
    await limit.clear('nothing was taken')
    t.deepEqual([await take('a'), await take('a'), await take('b')], ['taken', 'too_many_attempts', 'too_many_attempts'])
    t.deepEqual(told, ['a', 'b', 'a'])
  })

  test(`a point that is given back to ${store} can be taken again`, async t => {
    if (!isThere()) return t.log('skipped: there is no redis-server')
    const limit = limits()(`back-${store}`, { points: 2, durationSeconds: 60 })
    for (let round = 0; round < 10; round += 1) {
      t.is(await codeOf(limit.consume('key')), 'taken')
      await limit.reward('key')
    }
    t.deepEqual(
      [await codeOf(limit.consume('key')), await codeOf(limit.consume('key')), await codeOf(limit.consume('key'))],
      ['taken', 'taken', 'too_many_attempts'],
    )
  })

  test(`a budget of ${store} is full again when its window is over`, async t => {
    if (!isThere()) return t.log('skipped: there is no redis-server')
    const limit = limits()(`again-${store}`, { points: 1, durationSeconds: 1 })
    await limit.consume('key')
    await t.notThrowsAsync(until(async () => (await codeOf(limit.consume('key'))) === 'taken', 10))
  })
}

test('a limit whose store is gone takes nobody', async t => {
  const gone = await openTestDatabase()
  const limit = createLimits({ database: gone })('gone', { points: 100, durationSeconds: 60 })
  await limit.consume('key')
  await gone.close()
  t.is(await codeOf(limit.consume('key')), 'unavailable')
})

test('an address counts the same in every writing, and IPv6 by its network', t => {
  t.is(addressKey('198.51.100.7'), '198.51.100.7')
  t.is(addressKey('::ffff:198.51.100.7'), '198.51.100.7')
  t.is(addressKey('::FFFF:198.51.100.7'), '198.51.100.7')
  const network = addressKey('2001:db8:1:2::1')
  for (const same of ['2001:db8:1:2::ffff', '2001:0db8:0001:0002:0:0:0:1', '2001:DB8:1:2:a:b:c:d']) t.is(addressKey(same), network, same)
  for (const other of ['2001:db8:1:3::1', '2001:db8::1', '::1']) t.not(addressKey(other), network, other)
  t.is(addressKey('2001:db8::1'), addressKey('2001:db8:0:0::2'))
})

test('an IPv4 address is told as one, however it came written, and no other address is changed', t => {
  for (const mapped of ['::ffff:198.51.100.7', '::FFFF:198.51.100.7', '::ffff:c633:6407', '0:0:0:0:0:ffff:198.51.100.7', '198.51.100.7'])
    t.is(plainAddress(mapped), '198.51.100.7', mapped)
  for (const other of ['2001:db8::ffff:1', '::1', '2001:db8:ffff::c633:6407', 'ffff:', 'unknown', '']) t.is(plainAddress(other), other)
})

test('addresses of one network are of one place', t => {
  for (const [one, other] of [
    ['203.0.113.7', '203.0.113.200'],
    ['::ffff:203.0.113.7', '203.0.113.8'],
    ['2001:db8:1:2::1', '2001:db8:1:ffff::1'],
  ] as const)
    t.is(networkOf(one), networkOf(other))
  for (const [one, other] of [
    ['203.0.113.7', '203.0.112.7'],
    ['2001:db8:1::1', '2001:db8:2::1'],
    ['', '203.0.113.7'],
  ] as const)
    t.not(networkOf(one), networkOf(other))
})

test('while the database takes no writes, exactly as many are taken as there are points', async t => {
  const query = async () => Promise.reject(Object.assign(new Error('cannot execute INSERT in a read-only transaction'), { code: '25006' }))
  const readOnly = { ...database, pool: { query } as unknown as Database['pool'] }
  const limit = createLimits({ database: readOnly })('read-only', { points: 3, durationSeconds: 60 })
  const codes = await Promise.all(Array.from({ length: 10 }, () => codeOf(limit.consume('key'))))
  t.is(codes.filter(code => code === 'taken').length, 3)
  t.is(codes.filter(code => code === 'too_many_attempts').length, 7)
  await limit.reward('key')
})

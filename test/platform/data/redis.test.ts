import test from 'ava'
import { gatherRedis } from '../../../scripts/doctor/gather/redis.ts'
import type { DataLog } from '../../../src/platform/data/data-log.ts'
import { isUnavailable } from '../../../src/platform/data/database.ts'
import { openRedis } from '../../../src/platform/data/redis.ts'
import { parseRedisUrl } from '../../../src/platform/data/redis-url.ts'
import { takeRedis } from '../../support/redis-database.ts'
import { hasRedis, startRedis } from '../../support/redis-server.ts'
import { until } from '../../support/until.ts'

const withServer = (await hasRedis()) ? test : test.skip

function makeLog(): { log: DataLog; lines: string[] } {
  const lines: string[] = []
  const keep = (_fields: object, message: string) => lines.push(message)
  return { log: { info: keep, warn: keep, error: keep }, lines }
}

test('a URL may name one server or the nodes of a cluster', t => {
  t.deepEqual(parseRedisUrl('redis://localhost'), {
    isCluster: false,
    isTls: false,
    nodes: [{ host: 'localhost', port: 6379 }],
    username: undefined,
    password: undefined,
    database: 0,
  })
  t.like(parseRedisUrl('rediss://ada:p%40ss@cache.example:6380/3'), {
    isTls: true,
    nodes: [{ host: 'cache.example', port: 6380 }],
    username: 'ada',
    password: 'p@ss',
    database: 3,
  })
  t.like(parseRedisUrl('redis://:geheim@a:1,b:2,[::1]:3'), {
    isCluster: true,
    nodes: [
      { host: 'a', port: 1 },
      { host: 'b', port: 2 },
      { host: '::1', port: 3 },
    ],
    password: 'geheim',
  })
  t.like(parseRedisUrl('rediss+cluster://a'), { isCluster: true, isTls: true })
  t.like(parseRedisUrl('redis://a/'), { database: 0 })
  t.like(parseRedisUrl('redis://a?family=6'), { nodes: [{ host: 'a', port: 6379 }], database: 0 })
  t.like(parseRedisUrl('redis://a,b/0'), { isCluster: true, database: 0 })
  for (const url of ['redis://', 'http://a', 'redis://a:nonsense', 'redis://a,,b', 'redis://user:p%zz@a', 'redis://user:p%ff@a'])
    t.throws(() => parseRedisUrl(url), { name: 'StartError', code: 'redis_url_invalid' })
})

test('a database that Redis cannot have is refused, and not taken for the first', t => {
  for (const url of [
    'redis://a/prod',
    'redis://a/1x',
    'redis://a/-1',
    'redis://a/1/2',
    'redis://a/prod?x',
    'redis://a?db=3',
    'redis://a,b/1',
    'redis+cluster://a/2',
  ])
    t.throws(() => parseRedisUrl(url), { name: 'StartError', code: 'redis_url_invalid' }, url)
})

withServer('a database that Redis does not have is told in its own sentence', async t => {
  const server = await startRedis()
  t.teardown(() => server.remove())
  const at = (database: number) => new URL(`/${database}`, server.url).href
  const error = await t.throwsAsync(openRedis(at(99)), { name: 'StartError', code: 'redis_unreachable' })
  t.regex(error?.message ?? '', /DB index is out of range/)
  t.regex((await gatherRedis({ REDIS_URL: at(99) })).failure?.reason ?? '', /DB index is out of range/)
  const redis = await openRedis(at(3))
  t.teardown(() => redis.close())
  await redis.client.set('key', 'value')
  t.regex(await redis.client.info('keyspace'), /^db3:keys=1,/m)
})

test('a Redis that is not there is told in a sentence without the password', async t => {
  const error = await t.throwsAsync(openRedis('redis://:geheim@127.0.0.1:1'), { name: 'StartError', code: 'redis_unreachable' })
  t.true(error.message.includes('127.0.0.1:1') && error.message.includes('ECONNREFUSED'))
  t.false(String(error.stack).includes('geheim'))
  await t.throwsAsync(openRedis('redis://127.0.0.1:1,127.0.0.1:2'), { name: 'StartError', code: 'redis_unreachable' })
})

withServer('commands of one turn share a trip', async t => {
  const server = await startRedis()
  t.teardown(() => server.remove())
  const redis = await openRedis(server.url)
  t.teardown(() => redis.close())
  const before = redis.roundTrips()
  await Promise.all(Array.from({ length: 50 }, (_, index) => redis.client.set(`key-${index}`, index, 'EX', 60)))
  t.is(redis.roundTrips() - before, 1)
  await redis.ping()
})

withServer('a process that was kept from its turn does not take its own delay for one of Redis', async t => {
  const server = await startRedis()
  t.teardown(() => server.remove())
  const redis = await openRedis(server.url, undefined, { commandTimeout: 100 })
  t.teardown(() => redis.close())
  for (const ask of [() => redis.client.get('a'), () => Promise.all([redis.client.get('a'), redis.client.get('b')])]) {
    const asked = ask()
    // Sent in the next turn, and answered while nobody reads.
    await new Promise(resolve => setImmediate(resolve))
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400)
    await t.notThrowsAsync(asked)
  }
})

withServer('a Redis that goes fails at once, comes back by itself, and is told of twice', async t => {
  const server = await startRedis()
  t.teardown(() => server.remove())
  const { log, lines } = makeLog()
  const redis = await openRedis(server.url, log)
  t.teardown(() => redis.close())
  await server.stop('SIGKILL')
  for (let attempt = 0; attempt < 5; attempt++) {
    const startedAt = performance.now()
    t.true(isUnavailable(await t.throwsAsync(redis.client.get('a'))))
    t.true(performance.now() - startedAt < 1000)
  }
  await server.start()
  await until(() =>
    redis.ping().then(
      () => true,
      () => false,
    ),
  )
  t.deepEqual(lines, ['Redis is out of reach; what needs it fails until it is back.', 'Redis is back.'])
})

withServer('a Redis that hangs fails after a quarter of a second', async t => {
  const server = await startRedis()
  t.teardown(() => server.remove())
  const redis = await openRedis(server.url)
  t.teardown(() => redis.close())
  server.signal('SIGSTOP')
  const startedAt = performance.now()
  t.true(isUnavailable(await t.throwsAsync(redis.client.get('a'))))
  t.true(performance.now() - startedAt < 1000)
  server.signal('SIGCONT')
  await until(() =>
    redis.ping().then(
      () => true,
      () => false,
    ),
  )
})

withServer('a Redis that may forget what is needed is warned of, where it tells', async t => {
  const server = await startRedis()
  t.teardown(() => server.remove())
  const operator = await openRedis(server.url)
  t.teardown(() => operator.close())
  await operator.client.config('SET', 'maxmemory-policy', 'allkeys-lru')
  const { log, lines } = makeLog()
  const redis = await openRedis(server.url, log)
  t.teardown(() => redis.close())
  t.deepEqual(lines, ['Redis may evict what is still needed: set maxmemory-policy to noeviction.'])
  await operator.client.call('ACL', 'SETUSER', 'guest', 'on', 'nopass', '~*', '+@all', '-config')
  const guest = await openRedis(server.url.replace('//', '//guest:x@'), log)
  t.teardown(() => guest.close())
  await t.notThrowsAsync(guest.ping())
})

const configured = process.env.REDIS_URL
;(configured ? test : test.skip)('the configured Redis takes and gives', async t => {
  const redis = await takeRedis(configured ?? '')
  t.teardown(() => redis.close())
  await redis.client.set('authy2-test', 'value', 'EX', 10)
  t.is(await redis.client.get('authy2-test'), 'value')
})

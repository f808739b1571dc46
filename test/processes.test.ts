// How server processes are kept running, and how one of them stops: without the rest of the server.
import cluster from 'node:cluster'
import { once } from 'node:events'
import { Agent, createServer, get, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { mock } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { listenOn } from '../src/listen.ts'
import { openLog } from '../src/platform/log.ts'
import { openTracing } from '../src/platform/tracing/open.ts'
import { createShutdown, stopTasksInTime } from '../src/shutdown.ts'
import { supervised } from '../src/supervised.ts'
import { createSupervisor, type Supervised } from '../src/supervisor.ts'
import { until } from './support/until.ts'

type Fate = 'serves' | 'stays' | 'hangs' | 'ends' | 'missing'

/** Processes that do as they are told: each `serves`, or `stays` when it is asked to leave, or `hangs` until it is let serve, or `ends` before, or cannot even be spawned. */
const makeWorld = (size: number, fates: readonly Fate[] = [], graces: readonly number[] = []) => {
  const made: { pid: number; serve: () => void; end: (code: number | null) => void; signals: string[] }[] = []
  const waits: number[] = []
  const log = openLog('silent')
  const fork = (): Supervised => {
    const graceSeconds = graces[made.length] ?? 0
    const { promise: ended, resolve } = Promise.withResolvers<{ code: number | null; signal: string | null }>()
    const end = (code: number | null) => resolve({ code, signal: code === null ? 'SIGKILL' : null })
    const { promise: listening, resolve: serve } = Promise.withResolvers<void>()
    const one = { pid: made.length + 1, serve, end, signals: [] as string[] }
    made.push(one)
    const fate = fates[one.pid - 1]
    if (fate === 'missing') return supervised(cluster.fork(), { graceSeconds, log })
    if (fate === 'ends') end(1)
    else if (fate !== 'hangs') serve()
    const signal = (name: string) => {
      one.signals.push(name)
      if (name === 'SIGKILL') end(null)
      else if (fate !== 'stays') end(0)
    }
    return { pid: one.pid, graceSeconds, listening, ended, signal }
  }
  const wait = async (milliseconds: number) => {
    waits.push(milliseconds)
  }
  const supervisor = createSupervisor({ size, fork, log, wait })
  return { supervisor, made, waits }
}

test('a process that ends is started again, and all leave when they are asked', async t => {
  const { supervisor, made } = makeWorld(2)
  await supervisor.start()
  t.is(made.length, 2)
  made[0]?.end(null)
  await until(() => made.length === 3)
  await supervisor.stop()
  await supervisor.ended
  t.deepEqual(
    made.map(({ signals }) => signals),
    [[], ['SIGTERM'], ['SIGTERM']],
  )
})

test('where the first process ends before it serves there is no second try', async t => {
  const { supervisor, made } = makeWorld(2, ['ends'])
  await t.throwsAsync(supervisor.start(), { name: 'StartError', code: 'process_ended' })
  t.is(made.length, 1)
})

test('processes that end at once are tried later each time, and given up when none is left', async t => {
  const { supervisor, made, waits } = makeWorld(1, ['serves', ...Array<'ends'>(9).fill('ends')])
  await supervisor.start()
  made[0]?.end(1)
  await t.throwsAsync(supervisor.ended, { name: 'StartError', code: 'process_ended' })
  t.true(waits.length >= 4)
  t.deepEqual(
    waits,
    waits.toSorted((a, b) => a - b),
  )
})

test('while another serves, one that ends at once is tried for ever', async t => {
  const { supervisor, made } = makeWorld(2, ['serves', 'serves', ...Array<'ends'>(20).fill('ends'), 'serves'])
  await supervisor.start()
  made[1]?.end(1)
  await until(() => made.length === 23)
  await supervisor.stop()
  await t.notThrowsAsync(supervisor.ended)
})

test('a restart asks a process to leave only when its successor serves', async t => {
  const { supervisor, made } = makeWorld(2)
  await supervisor.start()
  await supervisor.restart()
  t.deepEqual(
    made.map(({ signals }) => signals.length),
    [1, 1, 0, 0],
  )
  const broken = makeWorld(2, ['serves', 'serves', 'ends'])
  await broken.supervisor.start()
  await t.throwsAsync(broken.supervisor.restart(), { code: 'process_ended' })
  t.deepEqual(
    broken.made.map(({ signals }) => signals.length),
    [0, 0, 0],
  )
})

test('a restart that is asked for while another is under way also replaces who began before it was', async t => {
  const { supervisor, made } = makeWorld(2, ['stays', 'stays'])
  await supervisor.start()
  const restarted = supervisor.restart()
  await until(() => made[0]?.signals.length === 1)
  await supervisor.restart()
  for (const at of [0, 1]) {
    await until(() => made[at]?.signals.length === 1)
    made[at]?.end(0)
  }
  await restarted
  // The third was there when it was asked for; the fourth began afterwards, and is what is wanted.
  t.deepEqual(
    made.map(({ signals }) => signals.length),
    [1, 1, 1, 0, 0],
  )
  await supervisor.stop()
})

test('a restart that is asked for while another breaks off is made all the same', async t => {
  const { supervisor, made } = makeWorld(1, ['serves', 'hangs'])
  await supervisor.start()
  const restarted = supervisor.restart()
  await until(() => made.length === 2)
  await supervisor.restart()
  made[1]?.end(1)
  await t.notThrowsAsync(restarted)
  t.deepEqual(
    made.map(({ signals }) => signals.length),
    [1, 0, 0],
  )
})

test('who is about to serve when a restart is asked for is replaced too', async t => {
  const { supervisor, made } = makeWorld(2, ['serves', 'serves', 'hangs'])
  await supervisor.start()
  made[0]?.end(1)
  await until(() => made.length === 3)
  await supervisor.restart()
  made[2]?.serve()
  await until(() => made[2]?.signals.length === 1)
  t.deepEqual(
    made.map(({ signals }) => signals.length),
    [0, 1, 1, 0, 0],
  )
})

test.serial('a process that cannot be spawned is told of, and neither the next restart nor the end waits for it', async t => {
  cluster.setupPrimary({ cwd: '/there/is/no/such/directory' })
  const { supervisor, made } = makeWorld(1, ['serves', 'missing', 'missing'])
  await supervisor.start()
  for (const _time of [1, 2]) await t.throwsAsync(supervisor.restart(), { code: 'process_ended', message: /ENOENT/ })
  await supervisor.restart()
  await supervisor.stop()
  await t.notThrowsAsync(supervisor.ended)
  t.deepEqual(
    made.map(({ signals }) => signals),
    [['SIGTERM'], [], [], ['SIGTERM']],
  )
})

test.serial('each process has the grace to stop that it was started with', async t => {
  const { supervisor, made } = makeWorld(1, ['stays', 'stays'], [2, 60])
  await supervisor.start()
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const restarted = supervisor.restart()
  await until(() => made[0]?.signals.length === 1)
  mock.timers.tick(21_999)
  t.deepEqual(made[0]?.signals, ['SIGTERM'])
  mock.timers.tick(1)
  await restarted
  t.deepEqual(made[0]?.signals, ['SIGTERM', 'SIGKILL'])
  const stopped = supervisor.stop()
  mock.timers.tick(79_999)
  t.deepEqual(made[1]?.signals, ['SIGTERM'])
  mock.timers.tick(1)
  await t.throwsAsync(stopped, { code: 'process_ended' })
})

test.serial('a collector of traces that hangs keeps no process from leaving', async t => {
  let isGivenUp = false
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
  const collector = createServer((_request, response) => {
    response.once('close', () => {
      isGivenUp = true
    })
    ask()
  })
  collector.listen(0, 'localhost')
  await once(collector, 'listening')
  t.teardown(() => {
    collector.close()
    collector.closeAllConnections()
  })
  const { port } = collector.address() as AddressInfo
  const tracing = openTracing({ endpoint: `http://localhost:${port}`, headers: {}, serviceName: 'authy2', version: '0', share: 1 })
  tracing.begin({ name: 'GET /', kind: 'server' }).end()
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const closed = tracing.close()
  await asked
  mock.timers.tick(1000)
  await closed
  await sleep(100)
  t.false(isGivenUp)
})

test('a server that stops answers what is under way, and tells kept-alive connections to leave', async t => {
  const shutdown = createShutdown({ graceSeconds: 1 })
  const held: ServerResponse[] = []
  const server = createServer((request, response) => (request.url === '/held' ? held.push(response) : response.end('at once')))
  shutdown.guard(server)
  server.listen(0, 'localhost')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const ask = async (path: string) => {
    const [answer] = (await once(get({ host: 'localhost', port, path, agent }), 'response')) as [IncomingMessage]
    return { connection: answer.headers.connection, body: await text(answer) }
  }
  t.deepEqual(await ask('/'), { connection: 'keep-alive', body: 'at once' })
  const slow = ask('/held')
  await until(() => held.length === 1)
  const drained = shutdown.drain()
  t.true(shutdown.isStopping())
  t.deepEqual(await ask('/'), { connection: 'close', body: 'at once' })
  await until(() => !server.listening)
  held[0]?.end('in the end')
  t.deepEqual(await slow, { connection: 'close', body: 'in the end' })
  await drained
})

test('a task that does not come to its end keeps no process from leaving, and one that fails is told', async t => {
  t.timeout(60_000)
  await t.notThrowsAsync(stopTasksInTime([() => new Promise(() => undefined)], 10))
  t.like(await stopTasksInTime([async () => Promise.reject(new Error('out'))], 10_000), [{ message: 'out' }])
})

test('a port that is taken, or an address of another machine, is told in a sentence', async t => {
  const holder = createServer().listen(0, '127.0.0.1')
  t.teardown(() => holder.close())
  await once(holder, 'listening')
  const { port } = holder.address() as AddressInfo
  const taken = await t.throwsAsync(listenOn(createServer(), { port, host: '127.0.0.1', setting: 'METRICS_PORT' }), {
    name: 'StartError',
    code: 'port_unusable',
  })
  t.true([`${port} of 127.0.0.1`, 'METRICS_PORT'].every(word => taken?.message.includes(word)))
  await t.throwsAsync(listenOn(createServer(), { port: 0, host: '192.0.2.1', setting: 'PORT' }), { name: 'StartError', code: 'port_unusable' })
})

import { randomBytes, randomUUID } from 'node:crypto'
import test from 'ava'
import { z } from 'zod'
import { currentContext, runFor } from '../../../src/platform/context.ts'
import type { Database } from '../../../src/platform/data/database.ts'
import { Hopeless, type JobKind, jobHandler } from '../../../src/platform/jobs/job.ts'
import { createQueue, type Queue } from '../../../src/platform/jobs/queue.ts'
import { startJobs } from '../../../src/platform/jobs/run.ts'
import { openLog } from '../../../src/platform/log.ts'
import { createSecrets } from '../../../src/platform/secrets.ts'
import { openTestDatabase } from '../../support/database.ts'
import { testSecretKey } from '../../support/demo-filling.ts'
import { until } from '../../support/until.ts'

const greet: JobKind<{ name: string }> = { name: 'test.greet', schema: z.object({ name: z.string() }), maxAttempts: 2 }
const log = openLog('silent')

let database: Database
let queue: Queue
test.beforeEach(async () => {
  database = await openTestDatabase()
  queue = createQueue({ database, secrets: createSecrets({ secretKey: testSecretKey, randomBytes }), newId: randomUUID })
})
test.afterEach.always(() => database?.close())

const ask = (name: string) => database.prisma.$transaction(tx => queue.add(tx, { kind: greet, payload: { name } }))
const rows = () => database.prisma.job.findMany()

test.serial('a job exists only if its change commits', async t => {
  const failure = database.prisma.$transaction(async tx => {
    await queue.add(tx, { kind: greet, payload: { name: 'Ada' } })
    throw new Error('no')
  })
  await t.throwsAsync(failure)
  t.is((await rows()).length, 0)
})

test.serial('what a job says is not readable in the database', async t => {
  await ask('Ada Lovelace')
  t.false(JSON.stringify(await rows()).includes('Lovelace'))
})

test.serial('a job is claimed once, however many look at once', async t => {
  await ask('Ada')
  const found = await Promise.all(Array.from({ length: 20 }, () => queue.claim([greet.name], 4)))
  t.is(found.flat().length, 1)
})

test.serial('of two who did the same job only the later one speaks for it', async t => {
  await ask('Ada')
  const [slow] = await queue.claim([greet.name], 1)
  await database.prisma.job.updateMany({ data: { lockedUntil: new Date(0) } })
  const [quick] = await queue.claim([greet.name], 1)
  if (!slow || !quick) return t.fail('both should have it')
  await queue.finish(slow)
  t.is((await rows()).length, 1)
  await queue.finish(quick)
  t.is((await rows()).length, 0)
})

test.serial('who looks for jobs because one was asked for does not do it for the request that asked', async t => {
  const { promise, resolve } = Promise.withResolvers<unknown>()
  const forget = queue.onAdded([greet.name], () => resolve(currentContext()))
  await runFor({ requestId: 'of-the-asker' }, () => ask('Ada'))
  t.is(await promise, undefined)
  forget()
  t.is((await queue.claim([greet.name], 1))[0]?.requestId, 'of-the-asker')
})

test.serial('jobs are done, tried again after a failure, and kept as dead when it is no use', async t => {
  const greeted: string[] = []
  const handler = jobHandler(greet, async ({ name }) => {
    greeted.push(name)
    if (name === 'fails') throw new Error('not now')
    if (name === 'never') throw new Hopeless('no such person')
  })
  await Promise.all(['Ada', 'fails', 'never'].map(ask))
  const stop = startJobs({ queue, handlers: [handler], log })
  t.teardown(stop)
  await until(async () => (await rows()).length === 2 && greeted.length === 3)
  await until(async () => (await rows()).every(({ lockedUntil }) => lockedUntil === null))
  const [dead] = (await rows()).filter(({ deadAt }) => deadAt !== null)
  t.regex(dead?.lastError ?? '', /no such person/)
  const [waiting] = (await rows()).filter(({ deadAt }) => deadAt === null)
  t.true((waiting?.runAt ?? new Date(0)) > new Date())
  await database.prisma.job.updateMany({ where: { deadAt: null }, data: { runAt: new Date(0) } })
  await until(async () => (await rows()).every(({ deadAt }) => deadAt !== null))
  t.is(greeted.filter(name => name === 'fails').length, 2)
})

test.serial('a job whose process died is done by another', async t => {
  await ask('Ada')
  await queue.claim([greet.name], 1)
  await database.prisma.job.updateMany({ data: { lockedUntil: new Date(0) } })
  const greeted: string[] = []
  const stop = startJobs({ queue, handlers: [jobHandler(greet, async ({ name }) => void greeted.push(name))], log })
  t.teardown(stop)
  await until(async () => (await rows()).length === 0)
  t.deepEqual(greeted, ['Ada'])
})

test.serial('a process that stops hands back what it cannot finish: another does it at once', async t => {
  await ask('Ada')
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  const hangs = jobHandler(greet, () => {
    begin()
    return new Promise(() => undefined)
  })
  const stop = startJobs({ queue, handlers: [hangs], log, patienceMilliseconds: 10 })
  await begun
  t.deepEqual(await queue.claim([greet.name], 1), [])
  await stop()
  t.like(await queue.claim([greet.name], 1), [{ kind: greet.name, attempt: 2 }])
})

test.serial('a place that is free is filled at once, and nobody waits for the slowest of those taken together', async t => {
  const greeted: string[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const handler = jobHandler(greet, async ({ name }) => {
    if (name === 'slow') await promise
    greeted.push(name)
  })
  for (const name of ['slow', 'Ada', 'Bob', 'Eve', 'Kim', 'Joe']) await ask(name)
  const stop = startJobs({ queue, handlers: [handler], log, together: 2 })
  t.teardown(stop)
  await until(async () => greeted.length === 5)
  t.false(greeted.includes('slow'))
  resolve()
  await until(async () => (await rows()).length === 0)
})

test.serial('a stop that cannot hand back what is under way is a stop all the same', async t => {
  const begun = Promise.withResolvers<void>()
  const handler = jobHandler(greet, async () => {
    begun.resolve()
    await new Promise(() => undefined)
  })
  await ask('Ada')
  const away: Queue = { ...queue, handBack: () => Promise.reject(new Error('Connection terminated')) }
  const stop = startJobs({ queue: away, handlers: [handler], log, patienceMilliseconds: 10 })
  await begun.promise
  await t.notThrowsAsync(stop())
})

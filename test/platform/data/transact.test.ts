// Raw statements and Prisma's models are in one transaction, and nothing is sent for one that is over.
import { setTimeout as wait } from 'node:timers/promises'
import { PrismaPg } from '@prisma/adapter-pg'
import test from 'ava'
import type { Database, TransactionClient } from '../../../src/platform/data/database.ts'
import { isUnavailable } from '../../../src/platform/data/failures.ts'
import { PrismaClient } from '../../../src/platform/data/generated/client.ts'
import { createTransact } from '../../../src/platform/data/transact.ts'
import { openTestDatabase } from '../../support/database.ts'

let database: Database
test.before(async () => {
  database = await openTestDatabase()
})
test.after.always(() => database?.close())

const rename = (tx: TransactionClient, from: string, to: string) => tx.$executeRaw`UPDATE organizations SET name = ${to} WHERE name = ${from}`
const count = (name: string) => database.prisma.organization.count({ where: { name } })

test.serial('raw statements see what models wrote, and the other way round', async t => {
  const found = await database.transact(async tx => {
    await tx.organization.create({ data: { slug: 'seen', name: 'made' } })
    t.is(await rename(tx, 'made', 'renamed'), 1)
    t.deepEqual(await tx.$queryRawUnsafe('SELECT slug FROM organizations WHERE name = $1', 'renamed'), [{ slug: 'seen' }])
    return tx.organization.findFirst({ where: { name: 'renamed' } })
  })
  t.is(found?.slug, 'seen')
  t.is(await count('renamed'), 1)
})

test.serial('what throws leaves neither', async t => {
  const failing = database.transact(async tx => {
    await tx.organization.create({ data: { slug: 'gone', name: 'gone' } })
    await rename(tx, 'gone', 'gone too')
    throw new Error('after all')
  })
  await t.throwsAsync(failing, { message: 'after all' })
  t.is(await database.prisma.organization.count({ where: { slug: 'gone' } }), 0)
})

test.serial('a statement that fails is told as it is, and rolls back', async t => {
  const failing = database.transact(async tx => {
    await tx.organization.create({ data: { slug: 'failed', name: 'failed' } })
    await tx.$executeRaw`SELECT 1 / 0`
  })
  await t.throwsAsync(failing, { message: /division by zero/ })
  t.is(await count('failed'), 0)
})

test.serial('nothing is sent for a transaction that is over', async t => {
  await database.prisma.organization.create({ data: { slug: 'late', name: 'early' } })
  const ended: TransactionClient[] = []
  await database.transact(async tx => void ended.push(tx))
  await t.throwsAsync(
    database.transact(async tx => {
      ended.push(tx)
      throw new Error('rolled back')
    }),
  )
  for (const tx of ended) {
    const error = await t.throwsAsync(rename(tx, 'early', 'late'))
    t.true(isUnavailable(error))
  }
  t.is(await count('early'), 1)
})

test.serial('what is said after Prisma ended a transaction that took too long is not sent, and nothing before it is kept', async t => {
  const { pool } = database
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool), transactionOptions: { maxWait: 15_000, timeout: 200 } })
  const transact = createTransact({ prisma, pool, nameOf: () => '' })
  await database.prisma.organization.create({ data: { slug: 'slow', name: 'slow' } })
  const slow = transact(async tx => {
    await rename(tx, 'slow', 'renamed in time')
    await wait(500)
    await rename(tx, 'slow', 'renamed too late')
  })
  t.true(isUnavailable(await t.throwsAsync(slow)))
  t.is(await count('slow'), 1)
})

test.serial('a connection serves others as before once its transaction is over, however that ended', async t => {
  const works: ((tx: TransactionClient) => Promise<unknown>)[] = [
    tx => tx.$queryRaw`SELECT 1`,
    tx => tx.$queryRaw`SELECT 1 / 0`,
    () => Promise.reject(new Error('thrown')),
  ]
  // One connection, that of all.
  const free = await Promise.all(Array.from({ length: (database.pool.options.max ?? 10) - 1 }, () => database.pool.connect()))
  t.teardown(() => free.forEach(client => void client.release()))
  const first = await database.pool.connect()
  const { query } = first
  first.release()
  for (const work of works) {
    await database.transact(work).catch(() => undefined)
    const client = await database.pool.connect()
    t.is(client, first)
    t.is(client.query, query)
    client.release()
  }
})

test.serial('transactions side by side keep to their own connections', async t => {
  const slugs = Array.from({ length: 20 }, (_, index) => `beside-${index}`)
  const made = await Promise.allSettled(
    slugs.map((slug, index) =>
      database.transact(async tx => {
        await tx.organization.create({ data: { slug, name: slug } })
        await rename(tx, slug, index % 2 === 0 ? 'kept beside' : 'lost beside')
        if (index % 2 === 1) throw new Error('lost')
      }),
    ),
  )
  t.is(made.filter(({ status }) => status === 'fulfilled').length, 10)
  t.deepEqual([await count('kept beside'), await count('lost beside')], [10, 0])
})

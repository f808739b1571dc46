// Raw statements and Prisma's models are in one transaction, and nothing is sent for one that is over.
import test from 'ava'
import type { Database, TransactionClient } from '../../../src/platform/data/database.ts'
import { isUnavailable } from '../../../src/platform/data/failures.ts'
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

// What is due is forgotten a batch at a time, and nothing else.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { createForget, forgetful } from '../../../src/forgetting.ts'
import { purgeAuthenticators } from '../../../src/mfa/authenticators.ts'
import { purgeInvitations } from '../../../src/organizations/invitations.ts'
import type { Database } from '../../../src/platform/data/database.ts'
import { createPurge, purgeInTurn } from '../../../src/platform/data/purge.ts'
import { PurgeError, purgeEach } from '../../../src/platform/data/purge-each.ts'
import { purgeRateLimits } from '../../../src/platform/http/limit.ts'
import { purgeJobs } from '../../../src/platform/jobs/queue.ts'
import { purgeDevices } from '../../../src/sessions/devices.ts'
import { openTestDatabase } from '../../support/database.ts'

let database: Database
test.before(async () => {
  database = await openTestDatabase()
})
test.after.always(() => database?.close())

const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000)

test.serial('of the jobs that were given up those of a month ago go, in batches, and of two who purge at once each row goes once', async t => {
  const job = (deadAt: Date | null) => ({ id: randomUUID(), kind: 'none', payload: '', deadAt })
  await database.prisma.job.createMany({ data: [31, 32, 33, 34, 35].map(days => job(daysAgo(days))) })
  const kept = [job(daysAgo(29)), job(null)]
  await database.prisma.job.createMany({ data: kept })
  t.is(await purgeJobs(database, 2), 2)
  const both = await Promise.all([purgeJobs(database, 100), purgeJobs(database, 100)])
  t.is(both[0] + both[1], 3)
  const left = await database.prisma.job.findMany()
  t.deepEqual(left.map(({ id }) => id).toSorted(), kept.map(({ id }) => id).toSorted())
})

test.serial('a purge that always fails keeps none of the others from going on, and is told at the end', async t => {
  await database.prisma.job.createMany({ data: [31, 32, 33].map(days => ({ id: randomUUID(), kind: 'broken', payload: '', deadAt: daysAgo(days) })) })
  const failing = createPurge({ table: 'no_such_table', due: 'true' })
  const error = await t.throwsAsync(purgeInTurn(database, [failing, purgeJobs, failing], { batch: 2, milliseconds: 600_000 }), { instanceOf: AggregateError })
  t.deepEqual(
    error.errors.map(({ cause }) => cause.code),
    ['42P01', '42P01'],
  )
  t.is(await database.prisma.job.count({ where: { kind: 'broken' } }), 0)
})

test.serial('budgets whose window is over go in batches, those of a process whose clock is a little behind stay', async t => {
  const expiring = (key: string, seconds: number) => ({ key, points: 1, expire: BigInt(Date.now() + seconds * 1000) })
  await database.prisma.rateLimit.createMany({ data: [expiring('a', -3600), expiring('b', -3600), expiring('c', -20), expiring('d', 3600)] })
  t.is(await purgeRateLimits(database, 1), 1)
  t.is(await purgeRateLimits(database, 100), 1)
  const left = await database.prisma.rateLimit.findMany({ orderBy: { key: 'asc' } })
  t.deepEqual(
    left.map(({ key }) => key),
    ['c', 'd'],
  )
})

test.serial('what cannot be forgotten holds up no other kind, and is logged by its id when it fails again', async t => {
  const logged: unknown[] = []
  let isMended = false
  const calls: string[] = []
  const purgeAs = (name: string) => ({
    purge: async () => {
      calls.push(name)
      if (name === 'organizations' && !isMended) throw new AggregateError([new PurgeError('organization', 'stuck', {})])
      return 0
    },
  })
  const services = Object.fromEntries(forgetful.map(name => [name, purgeAs(name)])) as unknown as Parameters<typeof createForget>[1]
  const forget = createForget({ log: { error: (fields: { id: string }) => logged.push(fields.id) } as never }, services)
  await t.throwsAsync(forget(), { instanceOf: AggregateError })
  t.deepEqual(calls, [...forgetful])
  t.deepEqual(logged, [])
  await t.throwsAsync(forget(), { instanceOf: AggregateError })
  t.deepEqual(logged, ['stuck'])
  isMended = true
  await t.notThrowsAsync(forget())
  t.deepEqual(logged, ['stuck'])
})

test.serial('where the database is out of reach the first failure ends the forgetting', async t => {
  const gone = () => Promise.reject(new Error('gone'))
  let tried = 0
  const purging = purgeEach({
    database: { ping: gone },
    kind: 'user',
    list: async () => [{ id: 'a' }, { id: 'b' }],
    purgeOne: () => {
      tried += 1
      return gone()
    },
  })
  await t.throwsAsync(purging, { instanceOf: AggregateError })
  t.is(tried, 1)
})

test.serial('devices, factors and invitations go when nobody can use them any more', async t => {
  const user = await database.prisma.user.create({ data: { email: 'a@people.example', emailNormalized: 'a@people.example' } })
  const userId = user.id
  for (const days of [729, 731]) await database.prisma.knownDevice.create({ data: { userId, key: Buffer.from(String(days)), seenAt: daysAgo(days) } })
  for (const days of [29, 31]) await database.prisma.authenticator.create({ data: { userId, kind: 'totp', name: 'App', secret: '', deletedAt: daysAgo(days) } })
  await database.prisma.authenticator.create({ data: { userId, kind: 'totp', name: 'App', secret: '', confirmedAt: daysAgo(400) } })
  // An enrolment that nobody confirmed.
  for (const days of [0.9, 1.1])
    await database.prisma.authenticator.create({ data: { userId, kind: 'totp', name: 'App', secret: 'sealed', createdAt: daysAgo(days) } })
  const { id: organizationId } = await database.prisma.organization.create({ data: { name: 'Acme', slug: 'acme' } })
  for (const days of [29, 31])
    await database.prisma.invitation.create({
      data: { organizationId, email: `${days}@people.example`, role: 'member', tokenHash: Buffer.from(String(days)), expiresAt: daysAgo(days) },
    })
  t.is(await purgeDevices(database, 100), 1)
  t.is(await purgeAuthenticators(database, 100), 2)
  t.is(await purgeInvitations(database, 100), 1)
  t.deepEqual(await Promise.all([database.prisma.knownDevice.count(), database.prisma.authenticator.count(), database.prisma.invitation.count()]), [1, 3, 1])
})

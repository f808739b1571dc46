// What is due is forgotten a batch at a time, and nothing else.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { purgeAuthenticators } from '../../../src/mfa/authenticators.ts'
import { purgeInvitations } from '../../../src/organizations/invitations.ts'
import type { Database } from '../../../src/platform/data/database.ts'
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

test.serial('devices, factors and invitations go when nobody can use them any more', async t => {
  const user = await database.prisma.user.create({ data: { email: 'a@people.example', emailNormalized: 'a@people.example' } })
  const userId = user.id
  for (const days of [729, 731]) await database.prisma.knownDevice.create({ data: { userId, key: Buffer.from(String(days)), seenAt: daysAgo(days) } })
  for (const days of [29, 31]) await database.prisma.authenticator.create({ data: { userId, kind: 'totp', name: 'App', secret: '', deletedAt: daysAgo(days) } })
  await database.prisma.authenticator.create({ data: { userId, kind: 'totp', name: 'App', secret: '', confirmedAt: daysAgo(400) } })
  const { id: organizationId } = await database.prisma.organization.create({ data: { name: 'Acme', slug: 'acme' } })
  for (const days of [29, 31])
    await database.prisma.invitation.create({
      data: { organizationId, email: `${days}@people.example`, role: 'member', tokenHash: Buffer.from(String(days)), expiresAt: daysAgo(days) },
    })
  t.is(await purgeDevices(database, 100), 1)
  t.is(await purgeAuthenticators(database, 100), 1)
  t.is(await purgeInvitations(database, 100), 1)
  t.deepEqual(await Promise.all([database.prisma.knownDevice.count(), database.prisma.authenticator.count(), database.prisma.invitation.count()]), [1, 2, 1])
})

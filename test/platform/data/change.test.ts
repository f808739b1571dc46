// A change commits with its events or not at all, and what is unique is told as what it is.
import { randomBytes } from 'node:crypto'
import test from 'ava'
import { z } from 'zod'
import { systemActor } from '../../../src/platform/actor.ts'
import { type Change, createChange, event } from '../../../src/platform/data/change.ts'
import { type ChangeFeed, createChangeFeed } from '../../../src/platform/data/change-feed.ts'
import type { Database } from '../../../src/platform/data/database.ts'
import { createSecrets } from '../../../src/platform/secrets.ts'
import { createUuids } from '../../../src/platform/uuid.ts'
import { openTestDatabase } from '../../support/database.ts'

let database: Database
let change: Change
let feed: ChangeFeed
test.before(async () => {
  database = await openTestDatabase()
  const uuids = createUuids(randomBytes)
  feed = createChangeFeed({ database, now: () => new Date() })
  change = createChange({
    database,
    feed,
    events: { 'organization.created': event('organization', { slug: z.string() }) },
    secrets: createSecrets({ secretKey: 'test-only', randomBytes }),
    now: () => new Date(),
    newUuid: () => uuids(new Date()),
  })
})
test.after.always(() => database?.close())

const make = (slug: string) =>
  change(systemActor, async (tx, record) => {
    const organization = await tx.organization.create({ data: { slug, name: slug } })
    record('organization.created', { ...organization, password: 'never told' })
    return organization
  })

const eventsOf = (id: string) => database.prisma.auditEvent.findMany({ where: { targetId: id } })

test.serial('a change is committed with its event, which tells only what its kind may tell', async t => {
  const { id } = await make('told')
  const [told, ...more] = await eventsOf(id)
  t.is(more.length, 0)
  t.like(told, { action: 'organization.created', outcome: 'kept', actorKind: 'system', targetKind: 'organization' })
  t.deepEqual(told?.target, { id, slug: 'told' })
})

test.serial('a change that fails leaves neither itself nor its event', async t => {
  const before = await database.prisma.auditEvent.count()
  const failing = change(systemActor, async (tx, record) => {
    record('organization.created', await tx.organization.create({ data: { slug: 'failed', name: 'failed' } }))
    throw new Error('after all')
  })
  await t.throwsAsync(failing, { message: 'after all' })
  t.is(await database.prisma.organization.count({ where: { slug: 'failed' } }), 0)
  t.is(await database.prisma.auditEvent.count(), before)
})

test.serial('a change that tells nothing, or an event that nobody knows, is rolled back', async t => {
  await t.throwsAsync(change(systemActor, tx => tx.organization.create({ data: { slug: 'silent', name: 'silent' } })))
  await t.throwsAsync(
    change(systemActor, async (tx, record) => {
      await tx.organization.create({ data: { slug: 'silent', name: 'silent' } })
      record('organization.invented', {})
    }),
  )
  t.is(await database.prisma.organization.count({ where: { slug: 'silent' } }), 0)
})

test.serial('of many who take one slug at once one gets it and the others are told so', async t => {
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => make('wanted')))
  const refused = outcomes.filter(outcome => outcome.status === 'rejected')
  t.is(refused.length, 7)
  for (const { reason } of refused) t.is(reason.code, 'slug_taken')
})

test.serial('a change is told in its own process once it is committed, and one that is not is told to nobody', async t => {
  const told: unknown[] = []
  t.teardown(feed.on(['organization'], target => told.push(target?.slug)))
  t.teardown(feed.on(['client'], () => told.push('of another kind')))
  await make('heard')
  await t.throwsAsync(make('heard'))
  t.deepEqual(told, ['heard'])
})

const onServer = process.env.DATABASE_URL ? test.serial : test.skip

onServer('another process hears of each change once, of those it was too late for as of everything', async t => {
  const other = createChangeFeed({ database, now: () => new Date() })
  const heard: unknown[] = []
  other.on(['organization'], target => heard.push(target?.slug))
  t.false(other.isCurrent())
  await make('before')
  await other.look()
  t.deepEqual(heard.splice(0), [undefined])
  await make('after')
  await other.look()
  await other.look()
  t.deepEqual(heard, ['after'])
})

onServer('a change that commits after one that began later is heard of too, however many looks come between', async t => {
  const other = createChangeFeed({ database, now: () => new Date() })
  const heard: unknown[] = []
  await other.look()
  other.on(['organization'], target => heard.push(target?.slug))
  const slow = Promise.withResolvers<void>()
  const written = Promise.withResolvers<void>()
  const late = database.prisma.$transaction(async tx => {
    await feed.write(tx, [{ kind: 'organization', target: { slug: 'slow' } }])
    written.resolve()
    await slow.promise
  })
  await written.promise
  await make('quick')
  for (let look = 0; look < 3; look += 1) await other.look()
  t.deepEqual(heard, ['quick'])
  slow.resolve()
  await late
  await other.look()
  t.deepEqual(heard, ['quick', 'slow'])
})

onServer('who did not look for a minute hears of everything, and is not current meanwhile', async t => {
  let at = Date.now()
  const other = createChangeFeed({ database, now: () => new Date(at) })
  const heard: unknown[] = []
  await other.look()
  t.true(other.isCurrent())
  other.on(['organization'], target => heard.push(target))
  at += 999
  t.true(other.isCurrent())
  at += 1
  t.false(other.isCurrent())
  at += 60_000
  await other.look()
  t.deepEqual(heard, [undefined])
  t.true(other.isCurrent())
})

test.serial('whose clock was set back is not current, and hears of everything at the next look', async t => {
  let at = Date.now()
  const other = createChangeFeed({ database, now: () => new Date(at) })
  const heard: unknown[] = []
  await other.look()
  other.on(['organization'], target => heard.push(target))
  at -= 3_600_000
  t.false(other.isCurrent())
  await other.look()
  t.deepEqual(heard, [undefined])
  t.true(other.isCurrent())
})

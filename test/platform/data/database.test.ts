import { randomUUID } from 'node:crypto'
import test from 'ava'
import { runFor } from '../../../src/platform/context.ts'
import { isUnavailable, openDatabase, statement, uniqueViolation } from '../../../src/platform/data/database.ts'
import { createDeadline } from '../../../src/platform/deadline.ts'
import { createLimits } from '../../../src/platform/http/limit.ts'
import { makeDataDir, openTestDatabase } from '../../support/database.ts'
import { startRelay } from '../../support/relay.ts'

const user = (email: string) => ({ email, emailNormalized: email })

test('raw statements and Prisma see the same rows, and trips are counted', async t => {
  const database = await openTestDatabase()
  t.teardown(() => database.close())
  const { id } = await database.prisma.user.create({ data: user('ada@example.com') })
  const before = database.roundTrips()
  const byId = statement('test-user-by-id', 'SELECT email FROM users WHERE id = $1')
  const rows = await Promise.all(Array.from({ length: 20 }, () => database.run<{ email: string }>(byId, [id])))
  t.deepEqual(new Set(rows.flat().map(({ email }) => email)), new Set(['ada@example.com']))
  // Each connection that is opened for them begins with one of its own.
  t.true(database.roundTrips() - before >= 20 && database.roundTrips() - before <= 20 + 15)
  await database.ping()
  t.like(database.state(), { embedded: database.embedded, diskLow: false, restarts: 0 })
})

test('transactions and statements of many at once do not mix', async t => {
  const database = await openTestDatabase()
  t.teardown(() => database.close())
  await database.prisma.rateLimit.create({ data: { key: 'counter' } })
  const increment = () =>
    database.prisma.$transaction(async tx => {
      const { points } = await tx.rateLimit.findUniqueOrThrow({ where: { key: 'counter' } })
      await tx.rateLimit.update({ where: { key: 'counter' }, data: { points: { increment: 1 } } })
      return points
    })
  const echo = statement('test-echo', 'SELECT $1::text AS word')
  const failing = statement('test-failing', 'SELECT 1 / $1::integer')
  const words = Array.from({ length: 60 }, () => randomUUID())
  const [echoed] = await Promise.all([
    Promise.all(words.map(async word => (await database.run<{ word: string }>(echo, [word]))[0]?.word)),
    Promise.all(Array.from({ length: 10 }, increment)),
    Promise.all(Array.from({ length: 10 }, () => t.throwsAsync(database.run(failing, [0]), { code: '22012' }))),
  ])
  t.deepEqual(echoed, words)
  t.is((await database.prisma.rateLimit.findUniqueOrThrow({ where: { key: 'counter' } })).points, 10)
})

const otherwise = {
  TimeZone: 'Asia/Tokyo',
  DateStyle: 'German',
  default_transaction_isolation: 'serializable',
  search_path: 'another',
  standard_conforming_strings: 'off',
  bytea_output: 'escape',
}

test('a time, a name and a text are the same to models and to statements, whatever the server sets for its sessions', async t => {
  const served = await openTestDatabase()
  t.teardown(() => served.close())
  await served.pool.query('CREATE SCHEMA another')
  for (const [name, value] of Object.entries(otherwise))
    await served.pool.query(`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET ${name} = %L', current_database(), '${value}'); END $$`)
  const database = served.embedded ? served : await openDatabase({ url: String(served.pool.options.connectionString), dataDir: '' })
  if (database !== served) t.teardown(() => database.close())
  const accessEndedAt = new Date(Date.now() + 60_000)
  const { id } = await database.prisma.user.create({ data: { ...user('ada@example.com'), accessEndedAt } })
  const text = `SELECT access_ended_at, access_ended_at BETWEEN now() AND now() + interval '2 minutes' AS is_near, '\\x00' AS backslash,
    '\\x00ff'::bytea AS bytes, current_setting('transaction_isolation') AS isolation FROM users WHERE id = $1::uuid`
  const asWritten = [{ access_ended_at: accessEndedAt, is_near: true, backslash: '\\x00', bytes: Buffer.from([0, 255]), isolation: 'read committed' }]
  t.deepEqual(await database.run(statement('test-settings', text), [id]), asWritten)
  t.deepEqual(await database.runAside(statement('test-settings', text), [id]), asWritten)
  t.deepEqual(await database.transact(tx => tx.$queryRawUnsafe(text, id)), asWritten)
  t.deepEqual((await database.prisma.user.findUniqueOrThrow({ where: { id } })).accessEndedAt, accessEndedAt)
})

test('a row that is refused as a duplicate names what it violates', async t => {
  const database = await openTestDatabase()
  t.teardown(() => database.close())
  const { prisma, pool } = database
  await prisma.user.create({ data: user('ada@example.com') })
  const byPrisma = await t.throwsAsync(prisma.user.create({ data: user('ada@example.com') }))
  t.is(uniqueViolation(byPrisma), 'users_email_normalized_key')
  const inTransaction = await t.throwsAsync(prisma.$transaction(tx => tx.user.create({ data: user('ada@example.com') })))
  t.is(uniqueViolation(inTransaction), 'users_email_normalized_key')
  await prisma.rateLimit.create({ data: { key: 'a' } })
  const raw = await t.throwsAsync(pool.query("INSERT INTO rate_limits (key) VALUES ('a')"))
  t.is(uniqueViolation(raw), 'rate_limits_pkey')
  const other = await t.throwsAsync(prisma.organization.create({ data: { slug: 'Not A Slug', name: 'x' } }))
  t.is(uniqueViolation(other), undefined)
  t.false(isUnavailable(other))
  await prisma.user.updateMany({ data: { deletedAt: new Date() } })
  await t.notThrowsAsync(prisma.user.create({ data: user('ada@example.com') }))
})

test('what the schema cannot say is said by the migration', async t => {
  const database = await openTestDatabase()
  t.teardown(() => database.close())
  const { prisma } = database
  const key = (kid: string, state: string, algorithm = 'ES256') => prisma.signingKey.create({ data: { kid, state, algorithm, publicJwk: {}, sealedJwk: '' } })
  await key('a', 'current')
  t.is(uniqueViolation(await t.throwsAsync(key('b', 'current'))), 'signing_keys_current_key')
  await t.throwsAsync(key('c', 'unknown'))
  await t.throwsAsync(key('d', 'next', 'HS256'))
  for (const slug of ['-a', 'a-', 'a--b', 'A', '']) await t.throwsAsync(prisma.organization.create({ data: { slug, name: slug } }))
  await prisma.organization.create({ data: { slug: 'a-1-b', name: 'x' } })
  const { id } = await prisma.user.create({ data: user('a@example.com') })
  const password = () => prisma.authenticationMethod.create({ data: { userId: id, kind: 'password', secret: '' } })
  await password()
  t.is(uniqueViolation(await t.throwsAsync(password())), 'authentication_methods_password_key')
  await t.throwsAsync(prisma.user.update({ where: { id }, data: { systemRole: 'root' } }))
})

test('a database that is not there is told in a sentence without the password', async t => {
  const error = await t.throwsAsync(openDatabase({ url: 'postgresql://ada:geheim@127.0.0.1:1/authy2', dataDir: '' }), {
    name: 'StartError',
    code: 'database_unreachable',
  })
  t.true(error.message.includes('127.0.0.1:1/authy2'))
  t.false(JSON.stringify([error.message, error.cause, error.stack]).includes('geheim'))
  await t.throwsAsync(openDatabase({ url: 'postgresql://ada:ge#heim@[nonsense/authy2', dataDir: '' }), { name: 'StartError', code: 'database_url_invalid' })
})

const url = process.env.DATABASE_URL
const onServer = url ? test : test.skip

onServer('a server that goes away makes statements fail as unavailable, and is found again', async t => {
  const { hostname, port } = new URL(url ?? '')
  const relay = await startRelay({ host: hostname, port: Number(port || 5432) })
  t.teardown(() => relay.close())
  const throughRelay = new URL(url ?? '')
  throughRelay.host = `127.0.0.1:${relay.port}`
  const { dataDir, remove } = makeDataDir()
  t.teardown(remove)
  const lines: string[] = []
  const note = (_fields: object, line: string) => lines.push(line)
  const database = await openDatabase({ url: throughRelay.href, dataDir, poolSize: 3, log: { info: note, warn: () => {}, error: note } })
  t.teardown(() => database.close())
  const attempts = [() => database.ping(), () => database.prisma.$queryRaw`SELECT 1`, () => database.prisma.$transaction(tx => tx.$queryRaw`SELECT 1`)]
  const cutShort = database.pool.query('SELECT pg_sleep(2)').catch((error: unknown) => error)
  relay.cut()
  t.true(isUnavailable(await cutShort))
  for (const attempt of attempts)
    t.true(
      isUnavailable(
        await attempt().then(
          () => 'answered',
          (error: unknown) => error,
        ),
      ),
    )
  relay.hang()
  for (const attempt of attempts)
    t.true(
      isUnavailable(
        await attempt().then(
          () => 'answered',
          (error: unknown) => error,
        ),
      ),
    )
  relay.mend()
  for (const attempt of attempts) await t.notThrowsAsync(attempt())
  t.deepEqual(lines, ['PostgreSQL is out of reach; what needs it fails until it is back.', 'PostgreSQL is back.'])
})

onServer('a statement that takes too long is ended, and is a passing failure', async t => {
  const database = await openTestDatabase()
  t.teardown(() => database.close())
  const error = await t.throwsAsync(database.pool.query('SELECT pg_sleep(20)'), { code: '57014' })
  t.true(isUnavailable(error))
})

const over = () => ({ at: performance.now() - 1 })
const isGivenUp = async (work: () => Promise<unknown>) =>
  work().then(
    () => false,
    error => isUnavailable(error),
  )

test('a request whose time is over begins no statement, and what it began in a transaction is not there', async t => {
  const database = await openTestDatabase()
  t.teardown(() => database.close())
  const { prisma } = database
  const count = statement('test-count-users', 'SELECT count(*)::int AS users FROM users')
  const add = statement('test-add-limit', "INSERT INTO rate_limits (key) VALUES ('a')")
  for (const work of [
    () => database.run(count),
    () => database.run(add),
    () => prisma.user.count(),
    () => prisma.$transaction(tx => tx.user.create({ data: user('ada@example.com') })),
  ])
    t.true(await runFor({ deadline: over() }, () => isGivenUp(work)))
  const deadline = createDeadline(60)
  const inTheMiddle = () =>
    prisma.$transaction(async tx => {
      await tx.user.create({ data: user('ada@example.com') })
      deadline.at = 0
      await tx.user.create({ data: user('bob@example.com') })
    })
  t.true(await runFor({ deadline }, () => isGivenUp(inTheMiddle)))
  t.deepEqual([await prisma.user.count(), await prisma.rateLimit.count()], [0, 0])
  // A connection that is in no transaction any more went back.
  t.is(database.state().connections.open, database.state().connections.idle)
})

test('once something is committed the request goes on, however long it takes; reading and counting commit nothing', async t => {
  const database = await openTestDatabase()
  t.teardown(() => database.close())
  const { prisma } = database
  const limit = createLimits({ database })('test', { points: 9, durationSeconds: 60 })
  const isLifted = async (work: () => Promise<unknown>) => {
    const deadline = createDeadline(60)
    // What Prisma is asked it does when it is awaited, and for whom.
    await runFor({ deadline }, async () => void (await work()))
    return !Number.isFinite(deadline.at)
  }
  t.false(await isLifted(() => prisma.user.count()))
  t.false(await isLifted(() => limit.consume('key')))
  t.true(await isLifted(() => database.run(statement('test-add-another', "INSERT INTO rate_limits (key) VALUES ('b')"))))
  t.true(await isLifted(() => prisma.user.create({ data: user('ada@example.com') })))
  const deadline = createDeadline(60)
  await runFor({ deadline }, () =>
    prisma.$transaction(async tx => {
      await tx.user.create({ data: user('bob@example.com') })
      t.true(Number.isFinite(deadline.at))
    }),
  )
  t.false(Number.isFinite(deadline.at))
})

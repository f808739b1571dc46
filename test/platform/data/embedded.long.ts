import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { readConfig } from '../../../src/config.ts'
import { silent } from '../../../src/platform/data/data-log.ts'
import { isUnavailable, openDatabase } from '../../../src/platform/data/database.ts'
import { freeBytes } from '../../../src/platform/data/disk.ts'
import { startEmbedded } from '../../../src/platform/data/embedded.ts'
import { takeLock } from '../../../src/platform/data/lock.ts'
import { isAlive } from '../../../src/platform/data/process-identity.ts'
import { openResources } from '../../../src/resources.ts'
import { makeMigratedDataDir } from '../../support/database.ts'
import { startHolder } from '../../support/holder.ts'
import { until } from '../../support/until.ts'

const mebibyte = 1_048_576

test.serial('a second process on the same data directory is refused, also while the first is stopped', async t => {
  const { dataDir, remove } = await makeMigratedDataDir()
  t.teardown(remove)
  const first = startHolder(dataDir)
  t.teardown(() => first.end())
  await first.said('open')
  const sentence = `refused data_dir_in_use Another Authy2 (pid ${first.pid}) is using ${dataDir}. Stop it, or set DATA_DIR or DATABASE_URL.`
  const second = startHolder(dataDir)
  t.is(await second.said('refused'), sentence)
  await second.left()
  t.is(second.process.exitCode, 1)
  first.kill('SIGSTOP', { group: true })
  const third = startHolder(dataDir)
  t.is(await third.said('refused'), sentence)
  first.kill('SIGCONT', { group: true })
  first.kill('SIGKILL')
  const fourth = startHolder(dataDir)
  t.teardown(() => fourth.end())
  await fourth.said('open')
  fourth.kill('SIGINT')
  await fourth.left()
})

test.serial('a signal to the whole process group lets the server drain before the database closes', async t => {
  const { dataDir, remove } = await makeMigratedDataDir()
  t.teardown(remove)
  const holder = startHolder(dataDir)
  t.teardown(() => holder.end())
  await holder.said('open')
  holder.kill('SIGTERM', { group: true })
  await sleep(200)
  holder.kill('SIGINT', { group: true })
  t.is(await holder.said('drained'), 'drained')
  await holder.left()
  t.is(holder.process.exitCode, 0)
  t.deepEqual(readdirSync(dataDir).sort(), ['postgres', 'run'])
  t.deepEqual(readdirSync(join(dataDir, 'run')), [])
})

test.serial('nobody but the owner may read the files', async t => {
  const { dataDir, remove } = await makeMigratedDataDir()
  t.teardown(remove)
  const database = await openDatabase({ dataDir, isBrief: true })
  t.teardown(() => database.close())
  await database.pool.query('CREATE TABLE made_later (id integer)')
  for (const folder of ['postgres', 'run']) t.is(statSync(join(dataDir, folder)).mode & 0o777, 0o700)
  const files = readdirSync(join(dataDir, 'postgres'), { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  // PGlite writes its cache of the catalogue 0644 whatever the umask; it holds no row of ours.
  const open = files.filter(({ parentPath, name }) => name !== 'pg_internal.init' && (statSync(join(parentPath, name)).mode & 0o077) !== 0)
  t.deepEqual(
    open.map(({ name }) => name),
    [],
  )
})

test.serial('a data directory with a path too long for a socket works', async t => {
  const { dataDir, remove } = await makeMigratedDataDir()
  t.teardown(remove)
  const database = await openDatabase({ dataDir: join(dataDir, 'a'.repeat(60), 'b'.repeat(60)), isBrief: true })
  t.teardown(() => database.close())
  await database.ping()
  t.pass()
})

test.serial('a database process that dies or hangs is started again', async t => {
  const { dataDir, remove } = await makeMigratedDataDir()
  t.teardown(remove)
  const embedded = await startEmbedded({ dataDir, log: silent, silenceSeconds: 2, isBrief: true })
  t.teardown(() => embedded.stop())
  const first = embedded.pid() ?? 0
  process.kill(first, 'SIGKILL')
  await until(() => embedded.state().isRunning && embedded.state().restarts === 1)
  const second = embedded.pid() ?? 0
  t.not(second, first)
  process.kill(second, 'SIGSTOP')
  await until(() => embedded.state().isRunning && embedded.state().restarts === 2)
  t.not(embedded.pid(), second)
})

test.serial('statements fail as unavailable while the database process is away, and succeed after', async t => {
  const { dataDir, remove } = await makeMigratedDataDir()
  t.teardown(remove)
  const database = await openDatabase({ dataDir, isBrief: true })
  t.teardown(() => database.close())
  const child = JSON.parse(readFileSync(join(dataDir, 'postgres.lock'), 'utf8')).child
  t.true(isAlive(child))
  process.kill(child.pid, 'SIGKILL')
  const errors: unknown[] = []
  await until(async () => {
    try {
      await database.prisma.user.count()
      await database.ping()
      return errors.length > 0
    } catch (error) {
      errors.push(error)
      return false
    }
  })
  t.deepEqual(
    errors.filter(error => !isUnavailable(error)),
    [],
  )
  t.is(database.state().restarts, 1)
})

test.serial('where mail or traces cannot be opened the database does not stay open', async t => {
  const { dataDir, remove } = await makeMigratedDataDir()
  t.teardown(remove)
  const config = { ...readConfig({ NODE_ENV: 'test', LOG_LEVEL: 'silent', DATA_DIR: dataDir }), mailFrom: 'a@mail.example' }
  const tracing = { endpoint: 'nonsense', headers: {}, serviceName: 'authy2', share: 1 }
  for (const broken of [{ smtpUrl: 'nonsense' }, { tracing }]) {
    await t.throwsAsync(openResources({ ...config, ...broken }))
    const lock = await takeLock(dataDir)
    lock.release()
  }
})

test.serial('with less room than the floor the database does not start', async t => {
  const { dataDir, remove } = await makeMigratedDataDir()
  t.teardown(remove)
  await t.throwsAsync(openDatabase({ dataDir, floorBytes: freeBytes(dataDir) * 2, isBrief: true }), { name: 'StartError', code: 'disk_low' })
})

test.serial('a disk that fills up makes the database read-only until there is room', async t => {
  const { dataDir, remove } = await makeMigratedDataDir()
  t.teardown(remove)
  const filler = join(dataDir, 'filler')
  const database = await openDatabase({ dataDir, floorBytes: freeBytes(dataDir) - 512 * mebibyte, isBrief: true })
  t.teardown(() => database.close())
  const write = () => database.pool.query("INSERT INTO rate_limits (key) VALUES ('a') ON CONFLICT (key) DO UPDATE SET points = rate_limits.points + 1")
  const writeFails = async () => isUnavailable(await write().catch((error: unknown) => error))
  await write()
  execFileSync('fallocate', ['-l', String(1024 * mebibyte), filler])
  await until(() => database.state().diskLow)
  await until(writeFails)
  t.true(isUnavailable(await t.throwsAsync(database.prisma.rateLimit.create({ data: { key: 'b' } }))))
  t.is(await database.prisma.rateLimit.count(), 1)
  rmSync(filler)
  await until(() => !database.state().diskLow)
  await until(async () => !(await writeFails()))
})

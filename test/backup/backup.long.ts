// Whole journeys of a database: out of a running server, from one PostgreSQL to the next, and out of the embedded database into PostgreSQL.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, type Stats, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import pg from 'pg'
import { move } from '../../src/backup/move.ts'
import { migrate } from '../../src/platform/data/migrate.ts'
import { migrationsFolder, readMigrations } from '../../src/platform/data/migrations.ts'
import { refill } from '../../src/platform/data/refill.ts'
import { RefillError } from '../../src/platform/data/refill-error.ts'
import { withSnapshot } from '../../src/platform/data/snapshot.ts'
import { backUp, fill, restoreInto, tryAll } from '../support/backups.ts'
import { makeDataDir, openEmptyDatabase } from '../support/database.ts'
import { findPostgres, startPostgres } from '../support/postgres-server.ts'
import { freePort, startServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const postgres = await findPostgres()
const onPostgres = postgres === undefined ? test.serial.skip : test.serial
const secretKey = 'journeys-0123456789-abcdefghijklmnopqrstuvwxyz'

onPostgres('moved from the embedded database into PostgreSQL and restored from one PostgreSQL to the next, everything goes on', async t => {
  const cluster = await startPostgres(postgres ?? '')
  t.teardown(cluster.remove)
  const embedded = await startServer()
  const filled = await fill(embedded)
  const first = await openEmptyDatabase(cluster.url)
  const moved = await move({ from: embedded.resources.database, to: first })
  t.true(moved.some(({ table, rows }) => table === 'oidc_artifacts' && rows > 0))
  await t.throwsAsync(move({ from: embedded.resources.database, to: first }), { instanceOf: RefillError, message: /not empty/ })
  await embedded.close()

  const bytes = await backUp(first)
  const second = await openEmptyDatabase(cluster.url)
  await restoreInto(second, { bytes })
  await restoreInto(second, { bytes, isReplaced: true })
  t.is((await second.pool.query("SELECT count(*)::int AS told FROM audit_events WHERE action = 'backup.restored'")).rows[0].told, 1)

  const onFirst = await startServer({ database: first })
  t.teardown(onFirst.close)
  await tryAll(t, { server: onFirst, filled, areSessionsKept: true })
  const onSecond = await startServer({ database: second })
  t.teardown(onSecond.close)
  await tryAll(t, { server: onSecond, filled, areSessionsKept: false })
})

onPostgres('a backup of an older schema is migrated on, one of a newer schema is refused, and nothing goes below a server that is connected', async t => {
  const cluster = await startPostgres(postgres ?? '')
  t.teardown(cluster.remove)
  const { dataDir: folder, remove } = makeDataDir()
  t.teardown(remove)
  const names = readMigrations().map(({ name }) => name)
  for (const name of names.slice(0, -3)) cpSync(join(migrationsFolder, name), join(folder, name), { recursive: true })
  const [old, target] = [await openEmptyDatabase(cluster.url), await openEmptyDatabase(cluster.url)]
  t.teardown(() => Promise.all([old.close(), target.close()]))
  await t.throwsAsync(backUp(old), { code: 'nothing_there' })
  await migrate(old, { folder })
  await old.pool.query("INSERT INTO users (id, email, email_normalized, updated_at) VALUES (gen_random_uuid(), 'a@b.example', 'a@b.example', now())")
  const bytes = await backUp(old)
  await restoreInto(target, { bytes })
  const { rows } = await target.pool.query('SELECT (SELECT count(*)::int FROM _prisma_migrations) AS migrations, (SELECT count(*)::int FROM users) AS users')
  t.deepEqual(rows, [{ migrations: names.length, users: 1 }])
  t.deepEqual(await migrate(target), [])
  const newer = withSnapshot(target, { work: source => refill(old, { source, folder, isReplaced: true }) })
  await t.throwsAsync(newer, { code: 'schema_newer' })
  const server = new pg.Client({ connectionString: String(target.pool.options.connectionString), application_name: 'authy2' })
  await server.connect()
  await t.throwsAsync(restoreInto(target, { bytes, isReplaced: true }), { code: 'in_use' })
  await server.end()
  await old.pool.query('DROP TABLE _prisma_migrations')
  await t.throwsAsync(restoreInto(old, { bytes, isReplaced: true }), { code: 'not_ours' })
  t.is((await old.pool.query('SELECT 1 FROM users')).rowCount, 1)
})

test.serial('the embedded database of a running server is backed up and restored by the commands, and its copy is gone afterwards', async t => {
  const { dataDir, remove } = makeDataDir()
  t.teardown(remove)
  const [port, file, elsewhere] = [await freePort(), join(dataDir, 'kept', 'backup.age'), join(dataDir, 'elsewhere')]
  mkdirSync(join(dataDir, 'kept'))
  const environment = { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE, SECRET_KEY: secretKey, DATA_DIR: join(dataDir, 'home') }
  const server = run('src/server.ts', { ...environment, PORT: String(port) })
  t.teardown(() => server.process.kill('SIGKILL'))
  await server.says('Demo data')
  // As a backup that was killed leaves them, and one that begins.
  const copies = () => readdirSync(join(dataDir, 'home')).filter(name => name.startsWith('copy-'))
  for (const name of ['copy-killed', 'copy-begun']) mkdirSync(join(dataDir, 'home', name, 'postgres'), { recursive: true })
  utimesSync(join(dataDir, 'home/copy-killed'), 1, 1)
  const terminal = run('scripts/backup.ts', environment, file)
  await until(() => copies().some(name => !['copy-killed', 'copy-begun'].includes(name)), 60)
  terminal.process.kill('SIGHUP')
  t.like(await ended(terminal), { code: 1 })
  await until(() => copies().join() === 'copy-begun', 60)
  rmSync(join(dataDir, 'home/copy-begun'), { recursive: true })
  t.deepEqual(readdirSync(join(dataDir, 'kept')), [])
  writeFileSync(join(dataDir, 'kept/older.age.99.part'), '')
  const written = await ended(run('scripts/backup.ts', environment, file))
  t.regex(written.text, /older\.age\.99\.part/)
  rmSync(join(dataDir, 'kept/older.age.99.part'))
  t.deepEqual([written.code, statSync(file).mode & 0o777], [0, 0o600], written.text)
  const first = readFileSync(file)
  const again = await ended(run('scripts/backup.ts', environment, file))
  t.is(again.code, 1)
  t.regex(again.text, /There is a file .+ already.+--replace/)
  t.true(first.equals(readFileSync(file)))
  t.like(await ended(run('scripts/backup.ts', environment, file, '--replace')), { code: 0 })
  t.false(first.equals(readFileSync(file)))
  t.deepEqual(readdirSync(join(dataDir, 'kept')), ['backup.age'])
  t.deepEqual(copies(), [])
  t.is((await fetch(`http://localhost:${port}/readyz`)).status, 200)
  t.like(await ended(run('scripts/move.ts', environment, 'postgresql://nobody@127.0.0.1:1/none')), { code: 1 })
  t.like(await ended(run('scripts/backup.ts', environment, '--verify', file)), { code: 0 })
  const there = { ...environment, DATA_DIR: elsewhere }
  const restored = await ended(run('scripts/restore.ts', there, file))
  t.is(restored.code, 0, restored.text)
  t.regex(restored.text, /revoke again what was revoked since/)
  t.like(await ended(run('scripts/restore.ts', there, file)), { code: 1 })
  t.like(await ended(run('scripts/restore.ts', there, file, '--replace')), { code: 2 })
  t.like(await ended(run('scripts/restore.ts', there, file, '--replace', '--yes')), { code: 0 })
  const before = filesIn(elsewhere)
  for (const typed of [`${elsewhere.toUpperCase()}\n`, '']) {
    const refused = await ended(typing(typed, 'scripts/restore.ts', there, file, '--replace'))
    t.is(refused.code, 1, refused.text)
    t.regex(refused.text, /Type .+\/elsewhere to go on: .*Nothing was changed\./s)
  }
  t.deepEqual(filesIn(elsewhere), before)
  const sure = await ended(typing(`${elsewhere}\n`, 'scripts/restore.ts', there, file, '--replace'))
  t.is(sure.code, 0, sure.text)
  t.notDeepEqual(filesIn(elsewhere), before)
  t.like(await ended(run('scripts/audit-verify.ts', there)), { code: 0 })
  t.like(await ended(run('scripts/restore.ts', { ...there, SECRET_KEY: 'x'.repeat(40) }, file, '--replace', '--yes')), { code: 1 })
})

const root = fileURLToPath(new URL('../..', import.meta.url))

type Environment = Readonly<Record<string, string | undefined>>

function run(script: string, environment: Environment, ...given: string[]) {
  return watch(spawn(process.execPath, [join(root, script), ...given], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] }))
}

/** As at a terminal, where these words are typed and then no more. */
function typing(words: string, script: string, environment: Environment, ...given: string[]) {
  const terminal = ['--import', 'data:text/javascript,process.stdin.isTTY = true']
  const child = spawn(process.execPath, [...terminal, join(root, script), ...given], { env: environment, stdio: 'pipe' })
  child.stdin.end(words)
  return watch(child)
}

function watch(child: ChildProcess) {
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', part => (text += part))
  return {
    process: child,
    text: () => text,
    says: async (words: string) => {
      while (!text.includes(words) && child.exitCode === null) await new Promise(resolve => setTimeout(resolve, 100))
    },
  }
}

/** Each file with its size and when it was written. */
function filesIn(folder: string) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .toSorted()
    .map(name => ({ name, ...pick(statSync(join(folder, name))) }))
}

const pick = ({ size, mtimeMs }: Stats) => ({ size, mtimeMs })

async function ended({ process: child, text }: ReturnType<typeof run>): Promise<{ code: number | null; text: string }> {
  if (child.exitCode === null) await once(child, 'exit')
  return { code: child.exitCode, text: text() }
}

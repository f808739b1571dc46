// The packed tarball: installed in an empty folder it starts by itself, from files that it cannot change, as a user that may nothing.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { isReady } from '../support/process.ts'
import { freePort } from '../support/server.ts'
import { until } from '../support/until.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const isRoot = process.getuid?.() === 0
const nobody = 65_534
const home = mkdtempSync(join(tmpdir(), 'authy2-packed-'))
const folder = (name: string) => join(home, name)

let paths: string[] = []
test.before(async () => {
  await run(process.execPath, ['--disable-warning=ExperimentalWarning', 'scripts/build.ts'], { cwd: root })
  // Its scripts are what the line above did, and making the database client anew under the other tests.
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', home], { cwd: root })
  const [tarball = ''] = readdirSync(home)
  paths = (await run('tar', ['-tzf', join(home, tarball)])).stdout.trim().split('\n')
  for (const name of ['app', 'work', 'tmp']) mkdirSync(folder(name), { mode: 0o755 })
  writeFileSync(join(folder('app'), 'package.json'), '{"private":true}')
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', join(home, tarball)], { cwd: folder('app') })
  await run('chmod', ['-R', 'a-w', folder('app')])
  if (!isRoot) return
  await run('chmod', ['a+x', home])
  for (const name of ['work', 'tmp']) chownSync(folder(name), nobody, nobody)
})
test.after.always(async () => {
  await run('chmod', ['-R', 'u+w', home])
  rmSync(home, { recursive: true, force: true })
})

const program = () => join(folder('app'), 'node_modules/authy2/dist/scripts/authy2.js')
const asNobody = (environment: Record<string, string> = {}) => ({
  cwd: folder('work'),
  env: { PATH: process.env.PATH, HOME: folder('work'), TMPDIR: folder('tmp'), LOG_LEVEL: 'warn', ...environment },
  ...(isRoot ? { uid: nobody, gid: nobody } : {}),
})
const authy2 = (given: readonly string[], environment?: Record<string, string>) =>
  run(process.execPath, [program(), ...given], asNobody(environment)).then(
    told => ({ ...told, code: 0 }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  )
const filesIn = (path: string) =>
  readdirSync(path, { recursive: true, encoding: 'utf8' }).map(name => `${name} ${statSync(join(path, name), { throwIfNoEntry: false })?.mtimeMs}`)

test.serial('the tarball holds what runs in production and nothing else', t => {
  const strange = paths.filter(
    path =>
      !/^package\/(dist\/((src|scripts|views|prisma\/migrations)\/|package\.json$)|package\.json$|\w+\.md$|LICENSE$|\.env\.example$|docs\/|prisma\/README\.md$)/.test(
        path,
      ),
  )
  t.deepEqual(strange, [])
  t.deepEqual(
    paths.filter(path => (path.endsWith('.ts') && !path.startsWith('package/docs/')) || /\/(test|bench|demo)\//.test(path)),
    [],
  )
  for (const needed of ['src/server.js', 'src/worker.js', 'src/platform/data/generated/client.js', 'src/platform/data/embedded-process.js', 'views/layout.ejs'])
    t.true(paths.includes(`package/dist/${needed}`), needed)
})

test.serial('installing it runs no script of ours', t => {
  const { scripts } = JSON.parse(readFileSync(join(folder('app'), 'node_modules/authy2/package.json'), 'utf8'))
  t.deepEqual(
    Object.keys(scripts).filter(name => /^(pre|post)?install$/.test(name)),
    [],
  )
})

test.serial('it starts, answers, is found healthy, and writes to its data and to /tmp alone', async t => {
  const before = filesIn(folder('app'))
  const port = await freePort()
  const settings = { PORT: String(port), ISSUER: `http://localhost:${port}` }
  const child = spawn(process.execPath, [program()], { ...asNobody(settings), stdio: ['ignore', 'ignore', 'pipe'] })
  const log: string[] = []
  child.stderr.on('data', (chunk: Buffer) => log.push(chunk.toString()))
  await until(() => {
    if (child.exitCode !== null) throw new Error(log.join(''))
    return isReady(settings.ISSUER)
  }, 180)
  const discovery = await fetch(`${settings.ISSUER}/.well-known/openid-configuration`)
  t.like(await discovery.json(), { issuer: settings.ISSUER })
  t.is((await fetch(`${settings.ISSUER}/auth/nowhere`)).status, 404)
  t.is((await authy2(['health'], settings)).code, 0)
  const { stdout } = await authy2(['doctor', '--json', '--seconds', '60'], settings)
  t.like(JSON.parse(stdout), { is_well: true, unexamined: [] })
  child.kill('SIGTERM')
  t.deepEqual(await once(child, 'exit'), [0, null])
  t.deepEqual(filesIn(folder('app')), before)
  t.deepEqual(
    readdirSync(folder('work')).filter(name => name !== 'data'),
    [],
  )
  t.deepEqual(log, [])
  t.is((await authy2(['health'], settings)).code, 1)
})

test.serial('its commands work beside it, and one that it does not know is told', async t => {
  t.is((await authy2(['migrate'])).stdout, 'The database is up to date.\n')
  const [doctor, worker, asked, help, mistaken, ...others] = await Promise.all(
    [
      ['doctor', '--seconds', '60'],
      ['worker'],
      ['user:create', '--help'],
      ['--help'],
      ['strat'],
      ...['backup', 'restore', 'move', 'secrets:reseal'].map(command => [command, '--help']),
    ].map(given => authy2(given)),
  )
  for (const other of others) t.like(other, { code: 0 })
  t.regex(doctor?.stdout ?? '', /The embedded database is closed/)
  t.regex(worker?.stderr ?? '', /DATABASE_URL is required for a worker/)
  t.regex(asked?.stdout ?? '', /--admin/)
  t.regex(help?.stdout ?? '', /^Usage: authy2 /)
  t.is(mistaken?.code, 2)
  t.regex(mistaken?.stderr ?? '', /There is no command strat\.\n\nUsage: authy2 /)
})

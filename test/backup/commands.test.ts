// The commands of backups say in a sentence what keeps them from their work, and leave what they do not understand alone.
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { makeMigratedDataDir } from '../support/database.ts'
import { until } from '../support/until.ts'

const home = await makeMigratedDataDir()
test.after.always(() => home.remove())

const script = fileURLToPath(new URL('../../scripts/backup.ts', import.meta.url))
const environment = {
  PATH: process.env.PATH,
  NODE_COMPILE_CACHE: resolve(process.env.NODE_COMPILE_CACHE ?? ''),
  SECRET_KEY: 'k'.repeat(40),
  DATA_DIR: home.dataDir,
}
/** Runs it in a shell: with what follows the command. */
const backUp = (then: string): SpawnSyncReturns<string> =>
  spawnSync('bash', ['--norc', '-c', `set -o pipefail; ${JSON.stringify(process.execPath)} ${JSON.stringify(script)} ${then}`], {
    encoding: 'utf8',
    env: environment,
  })

for (const [title, then, reason] of [
  ['a folder that is not there', '/nonexistent/x.age', 'ENOENT'],
  ['a disk that is full', '- > /dev/full', 'ENOSPC'],
  ['a pipe that nobody reads', '- | true', 'EPIPE'],
] as const)
  test.serial(`${title} is told in a sentence`, t => {
    const { status, stderr } = backUp(then)
    t.is(status, 1)
    t.regex(stderr, new RegExp(`^It was broken off: [^\\n]*${reason}[^\\n]*\\n$`))
  })

test.serial('a pipe or a folder is not written over', t => {
  const folder = join(home.dataDir, 'kept')
  mkdirSync(folder)
  const pipe = join(folder, 'pipe')
  spawnSync('mkfifo', [pipe])
  for (const place of [pipe, folder]) {
    const { status, stderr } = backUp(`--replace ${place}`)
    t.is(status, 1)
    t.regex(stderr, /^[^\n]+ is no file [^\n]+\n$/)
  }
  t.true(statSync(pipe).isFIFO())
  t.deepEqual(readdirSync(folder), ['pipe'])
})

/** A command of ours that has come to its commit, or not yet, when it is asked to stop; it would go on for a moment. */
const stopped = async (begun: string): Promise<{ code: number | null; text: string }> => {
  const work = `async ({ beforeCommit }) => { ${begun}; console.log('begun'); await new Promise(resolve => setTimeout(resolve, 1000)); console.log('told') }`
  const program = `import { withBackups } from ${JSON.stringify(new URL('../../scripts/with-backups.ts', import.meta.url))}; await withBackups(${work})`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', part => {
      text += part
    })
  await until(() => text.includes('begun'))
  for (const signal of ['SIGTERM', 'SIGTERM', 'SIGINT'] as const) child.kill(signal)
  const [code] = await once(child, 'close')
  return { code, text }
}

test.serial('what is asked to stop before its commit stops, and after it goes on to tell what was done', async t => {
  const before = await stopped('')
  t.deepEqual([before.code, before.text.includes('told')], [1, false])
  const after = await stopped('beforeCommit()')
  t.is(after.code, 0, after.text)
  t.regex(after.text, /too late.*told/s)
})

// The commands of backups say in a sentence what keeps them from their work, and leave what they do not understand alone.
import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { makeMigratedDataDir } from '../support/database.ts'

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

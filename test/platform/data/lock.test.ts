import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { takeLock } from '../../../src/platform/data/lock.ts'
import { findProcess, isAlive, processWorld } from '../../../src/platform/data/process-identity.ts'
import { makeDataDir } from '../../support/database.ts'

const inUse = { name: 'StartError', code: 'data_dir_in_use' }

test('a data directory is taken once and can be taken again when it is let go', async t => {
  const { dataDir, remove } = makeDataDir()
  t.teardown(remove)
  const lock = await takeLock(dataDir)
  await t.throwsAsync(takeLock(dataDir), {
    ...inUse,
    message: `Another Authy2 (pid ${process.pid}) is using ${dataDir}. Stop it, or set DATA_DIR or DATABASE_URL.`,
  })
  lock.release()
  const again = await takeLock(dataDir)
  again.release()
})

test('of many who come at once exactly one takes the lock of a dead holder', async t => {
  const { dataDir, remove } = makeDataDir()
  t.teardown(remove)
  for (let round = 0; round < 20; round++) {
    writeFileSync(join(dataDir, 'postgres.lock'), holder({ server: { pid: 999_999, began: '1' } }))
    const taken = await Promise.allSettled(Array.from({ length: 8 }, () => takeLock(dataDir)))
    const locks = taken.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
    t.is(locks.length, 1)
    locks[0]?.release()
  }
})

test('a process number that is used again by another process is not taken for the holder', async t => {
  const { dataDir, remove } = makeDataDir()
  t.teardown(remove)
  writeFileSync(join(dataDir, 'postgres.lock'), holder({ server: { pid: process.pid, began: 'long ago' } }))
  const lock = await takeLock(dataDir)
  t.is(JSON.parse(readFileSync(join(dataDir, 'postgres.lock'), 'utf8')).server.pid, process.pid)
  lock.release()
})

test('a dead server whose database process is still closing is waited for', async t => {
  const { dataDir, remove } = makeDataDir()
  t.teardown(remove)
  const child = fork('-e', ['setTimeout(() => {}, 700)'], { execArgv: [], stdio: 'ignore' })
  const leaving = once(child, 'exit')
  writeFileSync(join(dataDir, 'postgres.lock'), holder({ server: { pid: 999_999, began: '1' }, child: findProcess(child.pid ?? 0) }))
  const lock = await takeLock(dataDir)
  t.false(isAlive({ pid: child.pid ?? 0, began: findProcess(child.pid ?? 0)?.began ?? 'gone' }))
  lock.release()
  await leaving
})

test('the holder in another container is known by its socket', async t => {
  const { dataDir, remove } = makeDataDir()
  t.teardown(remove)
  const lock = await takeLock(dataDir)
  const path = join(dataDir, 'postgres.lock')
  const kept = JSON.parse(readFileSync(path, 'utf8'))
  writeFileSync(path, JSON.stringify({ ...kept, namespace: 'pid:[1]', server: { pid: 1, began: '1' } }))
  await t.throwsAsync(takeLock(dataDir), inUse)
  writeFileSync(path, JSON.stringify({ ...kept, namespace: 'pid:[1]', server: { pid: 1, began: '1' }, beacon: 'lock-out' }))
  const taken = await takeLock(dataDir)
  taken.release()
  lock.release()
})

test('a lock from before the machine was started again holds nothing', async t => {
  const { dataDir, remove } = makeDataDir()
  t.teardown(remove)
  writeFileSync(join(dataDir, 'postgres.lock'), JSON.stringify({ ...JSON.parse(holder({ server: findProcess(process.pid) })), boot: 'before' }))
  const lock = await takeLock(dataDir)
  t.is(JSON.parse(readFileSync(join(dataDir, 'postgres.lock'), 'utf8')).boot, processWorld().boot)
  lock.release()
})

function holder(fields: object): string {
  return JSON.stringify({ ...processWorld(), ...fields })
}

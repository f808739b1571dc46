// What the log tells of an error and what it keeps to itself.
import test from 'ava'
import { openLog } from '../../src/platform/log.ts'
import { openTestDatabase } from '../support/database.ts'

test('an error of the database is logged without the row it is about', async t => {
  const database = await openTestDatabase()
  t.teardown(() => database.close())
  const lines: string[] = []
  const log = openLog('info', { write: line => void lines.push(line) })
  const insert = (key: string, points: number | null) => database.pool.query('INSERT INTO rate_limits (key, points) VALUES ($1, $2)', [key, points])
  await insert('kept-to-itself', 1)
  for (const refused of [insert('kept-to-itself', 1), insert('kept-to-itself', null)]) {
    const err = await t.throwsAsync(refused)
    t.regex(String((err as { detail?: unknown }).detail), /kept-to-itself/)
    log.warn({ err: new Error('A change failed.', { cause: err }) }, 'A change failed.')
    log.warn({ err }, 'A change failed.')
  }
  t.is(lines.length, 4)
  t.notRegex(lines.join(''), /kept-to-itself/)
  t.like(JSON.parse(lines[1] ?? ''), { err: { code: '23505', constraint: 'rate_limits_pkey', table: 'rate_limits' } })
})

test('the code of an error is told, and no code that somebody signs in with', t => {
  const lines: string[] = []
  const log = openLog('info', { write: line => void lines.push(line) })
  const told = ['ECONNRESET', 'ERR_STREAM_DESTROYED', 'P2002', '57014']
  for (const code of told) log.warn({ err: Object.assign(new Error('It failed.'), { code }) }, 'It failed.')
  t.deepEqual(
    lines.map(line => JSON.parse(line).err.code),
    told,
  )
  lines.length = 0
  const kept = ['012345', 'BCDF-GHJK', 'n3VqvGkQvZ8bP1cYwLxR2sT4uA6dE0fH']
  for (const code of kept) {
    log.info({ code }, 'A request.')
    log.info({ body: { code } }, 'A request.')
  }
  for (const code of kept) t.false(lines.join('').includes(code))
})

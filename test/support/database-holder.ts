// Run as a process of its own: opens the database of a data directory, says so on standard output, and holds it; with "write" it writes rows and says each that is committed.
import { openDatabase } from '../../src/platform/data/database.ts'
import { StartError } from '../../src/platform/data/start-error.ts'

const [dataDir = '', work] = process.argv.slice(2)
process.on('SIGTERM', () => {})

const say = (line: string) => process.stdout.write(`${line}\n`)

try {
  const database = await openDatabase({ dataDir, isBrief: true })
  process.on('SIGINT', async () => {
    await database.ping()
    say('drained')
    await database.close()
  })
  if (work === 'write') await write()
  else say(`open ${process.pid}`)

  async function write(): Promise<void> {
    await database.pool.query('CREATE TABLE IF NOT EXISTS written (id integer PRIMARY KEY, twice integer NOT NULL)')
    const { rows } = await database.pool.query(
      'SELECT count(*)::integer AS count, coalesce(max(id), 0) AS last, bool_and(twice = 2 * id) IS NOT FALSE AS whole FROM written',
    )
    say(`open ${rows[0].count} ${rows[0].last} ${rows[0].whole}`)
    for (let id = rows[0].last + 1; ; id++) {
      await database.pool.query(`BEGIN; INSERT INTO written VALUES (${id}, 0); UPDATE written SET twice = 2 * id WHERE id = ${id}; COMMIT`)
      say(`kept ${id}`)
    }
  }
} catch (error) {
  if (!(error instanceof StartError)) throw error
  say(`refused ${error.code} ${error.message}`)
  process.exitCode = 1
}

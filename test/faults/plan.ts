// Runs the fault plan, one row after another, and tells it as a table: `npm run test:faults -- [--write] [--table] [row …]`.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { skewedClock } from './plan/clock.ts'
import { deadMailServer, sickReceivers } from './plan/dependants.ts'
import { fullEmbeddedDisk, fullPostgresDisk } from './plan/disk.ts'
import { movedPostgres } from './plan/failover.ts'
import { exhaustedPool, restartedPostgres, slowPostgres } from './plan/postgres.ts'
import { killedProcesses, rotatedKeys, stoppedProcesses } from './plan/processes.ts'
import { hungRedis, restartedRedis } from './plan/redis.ts'
import { createResults } from './plan/results.ts'
import type { Row } from './plan/row.ts'
import { table, write } from './plan/table.ts'

const rows: readonly Row[] = [
  killedProcesses,
  stoppedProcesses,
  rotatedKeys,
  restartedRedis,
  hungRedis,
  restartedPostgres,
  movedPostgres,
  slowPostgres,
  exhaustedPool,
  fullPostgresDisk,
  fullEmbeddedDisk,
  skewedClock,
  sickReceivers,
  deadMailServer,
]

const root = fileURLToPath(new URL('../../', import.meta.url))
const results = createResults({ root, folder: join(root, 'node_modules/.cache/authy2-faults') })

const given = process.argv.slice(2)
const names = given.filter(one => !one.startsWith('--'))
const unknown = [
  ...names.filter(name => !rows.some(row => row.name === name)),
  ...given.filter(one => one.startsWith('--') && !['--write', '--table'].includes(one)),
]
if (unknown.length > 0) {
  console.error(
    `There is no ${unknown.join(', ')}. The rows: ${rows.map(({ name }) => name).join(', ')}; --write puts the table into docs/reliability.md; --table runs nothing.`,
  )
  process.exit(2)
}

// What was measured before on these sources is told again, and nothing is run.
const isOnlyTold = given.includes('--table')
for (const row of isOnlyTold ? [] : rows.filter(({ name }) => names.length === 0 || names.includes(name))) {
  const begun = performance.now()
  const keep = results.begin(row)
  try {
    const result = await row.run()
    keep(result)
    if (result.broken.length > 0) process.exitCode = 1
    console.log(`${row.name}: ${Math.round((performance.now() - begun) / 1000)} s ${JSON.stringify(result)}`)
  } catch (error) {
    // One row that cannot be run does not keep the others from it.
    console.error(`${row.name}:`, error)
    process.exitCode = 1
  }
}
const made = table(rows, results)
console.log(`\n${made}`)
if (given.includes('--write')) write(made)

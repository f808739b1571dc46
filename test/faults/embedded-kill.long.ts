import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { makeMigratedDataDir } from '../support/database.ts'
import { startHolder } from '../support/holder.ts'

const rounds = Number(process.env.KILLS ?? 20)

test('a server killed under writes loses nothing that it acknowledged, and opens again each time', async t => {
  t.timeout(rounds * 20_000)
  const { dataDir, remove } = await makeMigratedDataDir()
  t.teardown(remove)
  let acknowledged = 0
  for (let round = 0; round <= rounds; round++) {
    const holder = startHolder(dataDir, 'write')
    t.teardown(() => holder.end())
    const [, count = '', last = '', whole] = (await holder.said('open')).split(' ')
    t.is(whole, 'true')
    t.is(count, last)
    t.true(Number(last) >= acknowledged, `${acknowledged} rows were acknowledged, ${last} are there`)
    await holder.said('kept')
    await sleep(100 + Math.random() * 200)
    // By turns the server alone, whose database process then closes by itself, and both at once.
    holder.kill('SIGKILL', { group: round % 2 === 1 })
    await holder.left()
    acknowledged = Math.max(acknowledged, ...holder.lines.filter(line => line.startsWith('kept')).map(line => Number(line.split(' ')[1])))
  }
  t.log(`${rounds} kills, ${acknowledged} rows acknowledged, none lost`)
})

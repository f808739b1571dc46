// What may be used once is used once over two server processes, with Redis and on PostgreSQL alone.
import test from 'ava'
import { type Cluster, startCluster, whyNoCluster } from '../support/cluster.ts'
import { contests } from '../support/contests.ts'
import { contestsOfPeople } from '../support/contests-of-people.ts'
import { prepareTrack, type Track } from '../support/race.ts'

const rounds = Number(process.env.ROUNDS ?? 50)
const roundsOfPeople = Math.min(rounds, 10)
const tries = 20

const obstacle = await whyNoCluster()
const places = [
  { place: 'with Redis', isRedisUsed: true },
  { place: 'on PostgreSQL alone', isRedisUsed: false },
]

for (const { place, isRedisUsed } of places)
  if (obstacle === undefined) compete(place, isRedisUsed)
  else test.skip(`of many over two processes ${place}, one wins (${obstacle})`, () => {})

function compete(place: string, isRedisUsed: boolean): void {
  let cluster: Cluster | undefined
  let track: Track | undefined
  const start = async () => {
    cluster ??= await startCluster({ size: 2, isRedisUsed, settings: { TRUST_PROXY: '1' } })
    return cluster
  }
  const opened = async () => {
    const { calls, issuer, withServices } = await start()
    track ??= await withServices(services => prepareTrack({ services, calls, issuer }))
    return track
  }

  for (const [title, contest] of Object.entries(contests))
    test.serial(`of many over two processes ${place}, ${title}`, async t => {
      t.timeout(600_000)
      const ready = await opened()
      for (let round = 0; round < rounds; round += 1) await contest(t, ready, tries)
    })

  for (const [title, contest] of Object.entries(contestsOfPeople))
    test.serial(`of many people over two processes ${place}, ${title}`, async t => {
      t.timeout(600_000)
      const { withServices, ...ground } = await start()
      await withServices(async services => {
        for (let round = 0; round < roundsOfPeople; round += 1) await contest(t, { ...ground, services }, tries)
      })
    })

  test.serial(`the processes that raced ${place} leave in order`, async t => {
    t.deepEqual(await cluster?.close(), [0, 0])
    cluster = undefined
  })
  test.after.always(() => cluster?.close())
}

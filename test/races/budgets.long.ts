// Budgets of guessing are one over two server processes, with Redis and on PostgreSQL alone.
import test from 'ava'
import { budgets } from '../support/budgets.ts'
import { type Cluster, startCluster, whyNoCluster } from '../support/cluster.ts'

const settings = { TRUST_PROXY: '1', API_REQUESTS_PER_MINUTE: '100000' }
const obstacle = await whyNoCluster()
const places = [
  { place: 'with Redis', isRedisUsed: true },
  { place: 'on PostgreSQL alone', isRedisUsed: false },
]

for (const { place, isRedisUsed } of places)
  if (obstacle === undefined) spendAll(place, isRedisUsed)
  else test.skip(`over two processes ${place} budgets are one (${obstacle})`, () => {})

function spendAll(place: string, isRedisUsed: boolean): void {
  let cluster: Cluster | undefined
  for (const [title, spend] of Object.entries(budgets))
    test.serial(`over two processes ${place}, ${title}`, async t => {
      t.timeout(300_000)
      cluster ??= await startCluster({ size: 2, isRedisUsed, settings })
      const { withServices, ...ground } = cluster
      await withServices(services => spend(t, { ...ground, services }))
    })
  test.serial(`the processes that were guessed at ${place} leave in order`, async t => {
    t.deepEqual(await cluster?.close(), [0, 0])
    cluster = undefined
  })
  test.after.always(() => cluster?.close())
}

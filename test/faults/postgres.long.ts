// PostgreSQL goes away and comes back under load: every answer is «come again later», and afterwards nobody is signed out.

import test from 'ava'
import { basic, portal } from '../support/calls.ts'
import { type Cluster, startCluster, whyNoCluster } from '../support/cluster.ts'
import { type Load, startLoad } from '../support/load.ts'
import { endure } from '../support/outage.ts'
import { isReady } from '../support/process.ts'
import { prepareTrack } from '../support/race.ts'
import { until } from '../support/until.ts'

const obstacle = await whyNoCluster()
const when = obstacle === undefined ? test.serial : test.skip
const unaffected = ['discovery', 'jwks'] as const

let cluster: Cluster
let load: Load
test.before(async () => {
  if (obstacle !== undefined) return
  cluster = await startCluster({ size: 1, isRedisUsed: true })
  const { calls, issuer, withServices } = cluster
  load = await startLoad(await withServices(services => prepareTrack({ services, calls, issuer })))
})
test.after.always(async () => {
  await load?.stop()
  await cluster?.close()
})

when('a crashed PostgreSQL is endured', async t => {
  const { stop, start } = cluster.postgres
  await endure(t, { cluster, load }, { stop: () => stop('immediate'), start, seconds: 5, unaffected })
})

when('a PostgreSQL that restarts at once is endured', async t => {
  const { stop, start } = cluster.postgres
  await endure(t, { cluster, load }, { stop: () => stop('fast'), start, seconds: 0, unaffected })
})

when('while PostgreSQL is gone the process is alive and not ready', async t => {
  const { stop, start } = cluster.postgres
  const toldBefore = cluster.processes[0]?.log().length ?? 0
  await stop('immediate')
  await until(async () => !(await isReady(cluster.issuer)), 3)
  t.is((await fetch(`${cluster.issuer}/livez`)).status, 200)
  const health = await fetch(`${cluster.issuer}/api/health`)
  t.is(health.status, 503)
  const sinceThen = () => (cluster.processes[0]?.log() ?? '').slice(toldBefore)
  // Half a second goes by until a new connection is tried: what was found out is kept for so long.
  await until(() => sinceThen().includes('ECONNREFUSED'), 10)
  const told = sinceThen()
  await start()
  await until(() => isReady(cluster.issuer), 10)
  t.is(told.split('PostgreSQL is out of reach').length, 2)
  const ofOutages = told.split('\n').filter(line => line.includes('ECONNREFUSED'))
  t.deepEqual(
    ofOutages.filter(line => line.includes('"stack"')),
    [],
  )
})

when('a PostgreSQL that answers nothing keeps nobody waiting for more than ten seconds, however many ask', async t => {
  const { signal } = cluster.postgres
  signal('SIGSTOP')
  const startedAt = performance.now()
  const ask = async () => {
    const reply = await cluster.calls.post('/oauth2/introspect', { token: 'x'.repeat(43) }, { authorization: basic(portal) })
    return { status: reply.status, seconds: (performance.now() - startedAt) / 1000 }
  }
  const replies = await Promise.all(Array.from({ length: 60 }, ask))
  signal('SIGCONT')
  t.deepEqual([...new Set(replies.map(({ status }) => status))], [503])
  t.true(
    replies.every(({ seconds }) => seconds < 10),
    `the last answer came after ${Math.max(...replies.map(({ seconds }) => seconds))} s`,
  )
  await until(() => isReady(cluster.issuer), 3)
  t.is((await ask()).status, 200)
})

// Redis goes away and comes back under load: what needs it says «come again later», the rest goes on, nobody is signed out.
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { type Cluster, startCluster, whyNoCluster } from '../support/cluster.ts'
import { type Load, startLoad } from '../support/load.ts'
import { endure } from '../support/outage.ts'
import { createPerson } from '../support/person.ts'
import { isReady } from '../support/process.ts'
import { prepareTrack } from '../support/race.ts'
import { bob, createRelyingParty, redirectUri } from '../support/relying-party.ts'
import { until } from '../support/until.ts'

const obstacle = await whyNoCluster()
const when = obstacle === undefined ? test.serial : test.skip
const unaffected = ['refresh', 'client_credentials', 'introspect', 'userinfo', 'discovery', 'jwks'] as const

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

const redis = () => {
  if (!cluster.redis) throw new Error('there is no Redis')
  return cluster.redis
}

when('a stopped Redis is endured', async t => {
  await endure(t, { cluster, load }, { stop: () => redis().stop(), start: () => redis().start(), seconds: 5, unaffected })
})

when('a killed Redis that comes back empty is endured', async t => {
  await endure(t, { cluster, load }, { stop: () => redis().stop('SIGKILL'), start: () => redis().start(), seconds: 2, unaffected })
})

when('a Redis that answers nothing is endured', async t => {
  const freeze = async () => redis().signal('SIGSTOP')
  const thaw = async () => redis().signal('SIGCONT')
  await endure(t, { cluster, load }, { stop: freeze, start: thaw, seconds: 4, unaffected })
})

when('no password is checked while Redis, which counts the tries, is gone; the page says so with 503 and works afterwards', async t => {
  const person = createPerson()
  const { request } = await createRelyingParty(cluster.issuer)
  const identifier = await person.follow(await person.get((await request()).url), redirectUri)
  const password = await person.follow(await person.submit(identifier, { username: bob.email }), redirectUri)
  await cluster.withServices(async ({ signIn }) => {
    await redis().stop()
    await t.throwsAsync(signIn.prove(systemActor, { identifier: bob.email, password: bob.password }), { code: 'unavailable' })
  })
  const refused = await person.submit(password, { password: bob.password })
  t.is(refused.status, 503)
  t.truthy(refused.headers.get('retry-after'))
  t.deepEqual(refused.headers.getSetCookie(), [])
  await redis().start()
  await until(() => isReady(cluster.issuer))
  const back = await person.follow(await person.submit(password, { password: bob.password }), redirectUri)
  t.truthy(back.location?.searchParams.get('code'))
})

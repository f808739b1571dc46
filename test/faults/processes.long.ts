// Several processes as one server: each is replaced in turn without a failed request, what one changes the others obey, and no crowd uses up what keeps them well.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import pg from 'pg'
import { systemActor } from '../../src/platform/actor.ts'
import { type Balancer, startBalancer } from '../support/balancer.ts'
import { basic, type Calls, createCalls, portal } from '../support/calls.ts'
import { type Cluster, startCluster, whyNoCluster } from '../support/cluster.ts'
import { makeDataDir } from '../support/database.ts'
import { isWell, startLoad } from '../support/load.ts'
import { brief } from '../support/outage.ts'
import { isReady, type ServerProcess, startProcess } from '../support/process.ts'
import { codeOf, prepareTrack, type Track } from '../support/race.ts'
import { until } from '../support/until.ts'

const obstacle = await whyNoCluster()
const when = obstacle === undefined ? test.serial : test.skip

let balancer: Balancer
let cluster: Cluster
let calls: Calls
let track: Track
let processes: ServerProcess[]
test.before(async () => {
  if (obstacle !== undefined) return
  balancer = await startBalancer()
  const settings = { ISSUER: balancer.origin, SHUTDOWN_GRACE_SECONDS: '1', DATABASE_POOL_SIZE: '3' }
  cluster = await startCluster({ size: 2, isRedisUsed: true, settings })
  processes = [...cluster.processes]
  balancer.lead(processes.map(({ origin }) => origin))
  calls = createCalls(balancer.origin)
  await until(async () => (await calls.call('/livez')).status === 200)
  track = await cluster.withServices(services => prepareTrack({ services, calls, issuer: balancer.origin }))
})
test.after.always(async () => {
  await Promise.all((processes ?? []).map(one => one.stop()))
  await calls?.close()
  balancer?.close()
  await cluster?.close()
})

const replace = async (at: number, signal: 'SIGTERM' | 'SIGHUP') => {
  const code = await processes[at]?.stop(signal)
  const { port } = new URL(processes[at]?.origin ?? '')
  processes[at] = await startProcess({ ...cluster.environment, PORT: port })
  return code
}

when('each process is replaced in turn, twice, while everybody goes on: no request fails', async t => {
  t.timeout(300_000)
  const load = await startLoad(track)
  const codes: unknown[] = []
  for (const signal of ['SIGTERM', 'SIGHUP'] as const)
    for (const at of [0, 1]) {
      await sleep(500)
      codes.push(await replace(at, signal))
    }
  await sleep(500)
  await load.stop()
  t.log(`${load.noted.length} requests: ${JSON.stringify(brief(load.noted))}`)
  t.deepEqual(codes, [0, 0, 0, 0])
  t.deepEqual(brief(load.noted.filter(one => !isWell(one))), {})
})

/** What all processes answer, each asked by itself. */
const everywhere = async <Result>(ask: (calls: Calls) => Promise<Result>): Promise<Result[]> => {
  const each = processes.map(({ origin }) => createCalls(balancer.origin, [origin]))
  try {
    return await Promise.all(each.map(ask))
  } finally {
    await Promise.all(each.map(one => one.close()))
  }
}
const obeyed = (t: { pass(): void }, question: (calls: Calls) => Promise<boolean>) =>
  until(async () => (await everywhere(question)).every(Boolean)).then(() => t.pass())

const elsewhere = 'http://localhost:4000/elsewhere'
const authorize = (one: Calls, redirectUri: string) =>
  one.call(
    `/oauth2/authorize?${new URLSearchParams({ client_id: track.strict.id, redirect_uri: redirectUri, response_type: 'code', scope: 'openid', prompt: 'none', code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' })}`,
    {
      headers: { cookie: track.cookie },
    },
  )

when('the redirect URI of a client, new keys and the end of a client reach every process', async t => {
  t.timeout(300_000)
  const asked = (uri: string) => async (one: Calls) => codeOf(await authorize(one, uri)) !== undefined
  t.deepEqual(await everywhere(asked(track.strict.redirectUri)), [true, true])
  t.deepEqual(await everywhere(asked(elsewhere)), [false, false])
  await cluster.withServices(async services => {
    const { id } = track.strict
    await services.clientAdministration.update(systemActor, { id }, { redirectUris: [elsewhere] })
    await obeyed(t, asked(elsewhere))
    t.deepEqual(await everywhere(asked(track.strict.redirectUri)), [false, false])

    await services.signingKeys.rotate(systemActor, { isForced: true })
    const kids = (await services.signingKeys.describe()).filter(({ state }) => state === 'next').map(({ kid }) => kid)
    await obeyed(t, async one => {
      const { body } = await one.call('/oauth2/jwks')
      return kids.every(kid => body.includes(kid))
    })

    await services.clientAdministration.update(systemActor, { id }, { isDisabled: true })
    await obeyed(t, async one => (await authorize(one, elsewhere)).status === 400)
  })
})

when('a crowd that waits for a locked table is told to come again later; what needs no database goes on, and so does health', async t => {
  t.timeout(300_000)
  const locker = new pg.Client(cluster.postgres.url)
  await locker.connect()
  const introspect = () => calls.post('/oauth2/introspect', { token: 'x'.repeat(43) }, { authorization: basic(portal) })
  t.is((await introspect()).status, 200)
  await locker.query('BEGIN; LOCK TABLE oidc_artifacts IN ACCESS EXCLUSIVE MODE')
  const crowd = Promise.all(Array.from({ length: 60 }, introspect))
  const during = await Promise.all(processes.map(({ origin }) => isReady(origin)))
  const jwks = await calls.call('/oauth2/jwks')
  const replies = await crowd
  t.deepEqual([during, jwks.status], [[true, true], 200])
  t.deepEqual([...new Set(replies.map(({ status }) => status))], [503])
  t.true(replies.every(({ headers }) => headers['retry-after'] !== undefined))
  await locker.query('COMMIT')
  await locker.end()
  await until(async () => (await introspect()).status === 200)
})

when('WORKERS are one server: what ends is started again, all are replaced without a failed request, and all leave in order', async t => {
  t.timeout(300_000)
  const { ISSUER: _issuer, REDIS_URL: _redis, ...environment } = cluster.environment
  const server = await startProcess({ ...environment, WORKERS: '2', LOG_LEVEL: 'info' }, { program: 'cluster.ts' })
  try {
    const says = (text: string, times = 1) => until(() => server.log().split(text).length > times)
    await says('All server processes are ready.')
    const second = await startProcess({ ...environment, WORKERS: '2', PORT: new URL(server.origin).port }, { program: 'cluster.ts' })
    await until(() => !second.isRunning())
    t.is(second.log().split('another program does already').length, 2, second.log())
    t.notRegex(second.log(), /\n {4}at /)
    const [, pid] = /"pid":(\d+),"msg":"A server process serves/.exec(server.log()) ?? []
    process.kill(Number(pid), 'SIGKILL')
    await says('A server process serves', 3)
    const own = createCalls(server.issuer)
    const noted: number[] = []
    let isOver = false
    const asking = (async () => {
      for (; !isOver; await sleep(20)) noted.push((await own.call('/oauth2/jwks').catch(() => ({ status: 0 }))).status)
    })()
    server.kill('SIGHUP')
    await says('All server processes were replaced.')
    isOver = true
    await asking
    await own.close()
    t.deepEqual([...new Set(noted)], [200])
  } finally {
    t.is(await server.stop(), 0)
    const told = server.log().slice(server.log().lastIndexOf('All server processes are asked to stop.'))
    t.is(told.split('The process was asked to stop').length, 3, told)
    t.is(told.split('The process has finished what was under way').length, 3)
    t.regex(told, /"level":30,[^\n]*"All server processes have ended\."/)
  }
})

when('the processes that SIGHUP brings obey .env as it is then, what is no longer in it too; what the environment itself says stays', async t => {
  t.timeout(300_000)
  const { ISSUER: _issuer, REDIS_URL: _redis, ...environment } = cluster.environment
  const { dataDir: directory, remove } = makeDataDir()
  t.teardown(remove)
  const say = (...lines: string[]) => writeFileSync(join(directory, '.env'), `${lines.join('\n')}\n`)
  const [before, after] = ['https://before.example', 'https://after.example']
  say('WORKERS=2', `CORS_ORIGINS=${before}`, 'JWKS_MAX_AGE_SECONDS=77')
  const server = await startProcess({ ...environment, LOG_LEVEL: 'info' }, { program: 'cluster.ts', directory })
  /** What is told at each of so many connections, which the processes take by turns. */
  const told = async () => {
    const answers = new Set<string>()
    for (let connections = 0; connections < 8; connections += 1) {
      const own = createCalls(server.issuer)
      const allowed = async (origin: string) => (await own.call('/api/health', { headers: { origin } })).headers['access-control-allow-origin']
      const { headers } = await own.call('/oauth2/jwks')
      const { json } = await own.call('/.well-known/openid-configuration')
      answers.add([await allowed(before), await allowed(after), headers['cache-control'], json.issuer].join(' '))
      await own.close()
    }
    return [...answers]
  }
  try {
    await until(() => server.log().includes('All server processes are ready.'))
    t.deepEqual(await told(), [`${before}  public, max-age=77 ${server.issuer}`])
    say('WORKERS=2', `CORS_ORIGINS=${after}`, 'ISSUER=https://elsewhere.example')
    server.kill('SIGHUP')
    await until(() => server.log().includes('All server processes were replaced.'))
    t.deepEqual(await told(), [` ${after} public, max-age=300 ${server.issuer}`])
  } finally {
    t.is(await server.stop(), 0)
  }
})

// The doctor before real servers: what it finds there, that it changes nothing, and that it ends whatever it hangs on.
import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import pg from 'pg'
import type { DatabaseFacts } from '../../scripts/doctor/facts.ts'
import { gatherDatabase } from '../../scripts/doctor/gather/database.ts'
import { gatherIssuer } from '../../scripts/doctor/gather/issuer.ts'
import { gatherMail } from '../../scripts/doctor/gather/mail.ts'
import { gatherRedis } from '../../scripts/doctor/gather/redis.ts'
import { readConfig } from '../../src/config.ts'
import { seedDemoData } from '../../src/demo-data.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { openRedis } from '../../src/platform/data/redis.ts'
import { openResources, type Resources } from '../../src/resources.ts'
import { createServices } from '../../src/services.ts'
import { certify } from '../support/certificates.ts'
import { whyNoCluster } from '../support/cluster.ts'
import { testSecretKey } from '../support/demo-filling.ts'
import { dumpDatabase, dumpRedis } from '../support/dump.ts'
import { findPostgres, type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { startSilence, startSmtp } from '../support/smtp.ts'

const obstacle = await whyNoCluster()
const when = obstacle === undefined ? test.serial : test.skip
const program = fileURLToPath(new URL('../../scripts/doctor.ts', import.meta.url))
const home = mkdtempSync(join(tmpdir(), 'authy2-doctor-'))
// What depends on the machine that the test runs on.
const ofMachine = ['files_few', 'disk_low', 'mail_from_nowhere']

let postgres: PostgresServer
let redis: RedisServer
test.before(async () => {
  if (obstacle !== undefined) return
  ;[postgres, redis] = await Promise.all([startPostgres((await findPostgres()) ?? ''), startRedis()])
})
test.after.always(async () => {
  await Promise.all([postgres?.remove(), redis?.remove()])
  rmSync(home, { recursive: true, force: true })
})

/** The settings of production on this machine, where nobody listens at the issuer. */
const settings = () => ({
  NODE_ENV: 'production',
  ISSUER: 'http://localhost:9',
  DATABASE_URL: postgres.url,
  REDIS_URL: redis.url,
  SECRET_KEY: testSecretKey,
})

const consult = async (environment: Record<string, string>, ...given: string[]) => {
  const { code, stdout, stderr } = await promisify(execFile)(process.execPath, [program, '--json', '--seconds', '60', ...given], {
    cwd: home,
    env: { PATH: process.env.PATH, ...environment },
  }).then(
    told => ({ ...told, code: 0 }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  )
  if (stderr) throw new Error(stderr)
  const { is_well, wrong, warnings, unexamined } = JSON.parse(stdout)
  const codes = (list: { code: string }[]) => list.map(one => one.code).filter(one => !ofMachine.includes(one))
  return { code, isWell: is_well, wrong: codes(wrong), warnings: codes(warnings), unexamined }
}

/** Opens what the settings name, as a server would, for a moment. */
const withResources = async <Result>(work: (resources: Resources) => Promise<Result>): Promise<Result> => {
  const config = readConfig({ ...settings(), NODE_ENV: 'test', LOG_LEVEL: 'silent' })
  const resources = await openResources(config)
  try {
    return await work(resources)
  } finally {
    await resources.close()
  }
}

when('a fresh PostgreSQL and Redis are looked at as they are, and stay as they are', async t => {
  t.deepEqual(await consult(settings()), {
    unexamined: [],
    code: 1,
    isWell: false,
    // The servers of the tests are fast rather than safe, and ruled by a superuser.
    wrong: ['database_fsync_off'],
    warnings: ['issuer_loopback', 'issuer_unreachable', 'database_role_mighty', 'mail_missing'],
  })
  const { length: applied } = await withResources(async resources => resources.applied)
  t.true(applied > 0, 'the doctor did not migrate')
})

when('what lies in the database is found, and none of it is changed', async t => {
  const before = await withResources(async resources => {
    const services = createServices(resources, readConfig({ ...settings(), NODE_ENV: 'test' }))
    await services.signingKeys.ensure(systemActor)
    await seedDemoData(services)
    const ask = (text: string) => resources.database.pool.query(text)
    await ask(`UPDATE signing_keys SET activated_at = now() - interval '1 year' WHERE state = 'current' AND algorithm = 'ES256'`)
    await ask(`DELETE FROM signing_keys WHERE state = 'next' AND algorithm = 'EdDSA'`)
    await ask(`INSERT INTO jobs (id, kind, payload, run_at) VALUES (gen_random_uuid(), 'mail', 'x', now() - interval '1 hour')`)
    await ask(`INSERT INTO jobs (id, kind, payload, dead_at) VALUES (gen_random_uuid(), 'mail', 'x', now())`)
    return [await dumpDatabase(resources), await dumpRedis(resources)]
  })
  const found = await consult({ ...settings(), SECRET_KEY: 'q7Zt0VbN3xLr8Kd5Wm2Yc9Hf4Jg6Ps1Ae0RuTiOoLlKk', RUN_JOBS: 'false' })
  t.deepEqual(found.wrong, ['secret_key_other', 'database_fsync_off', 'demo_kept', 'jobs_overdue'])
  t.deepEqual(found.warnings, [
    'issuer_loopback',
    'issuer_unreachable',
    'database_role_mighty',
    'keys_next_missing',
    'keys_old',
    'admins_of_one_factor',
    'jobs_dead',
    'mail_missing',
  ])
  const rotating = await consult({ ...settings(), SECRET_KEY: 'q7Zt0VbN3xLr8Kd5Wm2Yc9Hf4Jg6Ps1Ae0RuTiOoLlKk', SECRET_KEY_PREVIOUS: testSecretKey })
  t.deepEqual([rotating.wrong.includes('secret_key_other'), rotating.wrong.includes('lasting_keys_closed')], [false, false])
  t.true(rotating.warnings.includes('sealed_under_older'))
  t.deepEqual(await withResources(async resources => [await dumpDatabase(resources), await dumpRedis(resources)]), before)
})

when('a database is well that what is sealed could not be counted in, and the rest is told before', async t => {
  const client = new pg.Client(postgres.url)
  await client.connect()
  try {
    await client.query('BEGIN; LOCK TABLE connections')
    let early: DatabaseFacts = {}
    const facts = await gatherDatabase(settings(), told => {
      early = told
    })
    for (const told of [early, facts])
      t.like(told, { failure: undefined, fsync: 'off', kept: { admins: 1 }, sealed: { areLastingOpened: true, older: undefined } })
    const { wrong, unexamined } = await consult(settings())
    t.deepEqual([wrong.includes('database_fsync_off'), wrong.includes('database_unreachable')], [true, false])
    t.regex(unexamined.join(), /secrets:reseal -- --count/)
  } finally {
    await client.end()
  }
})

when('a role that may do no more than it needs sees enough', async t => {
  await withResources(({ database: { pool } }) => pool.query('CREATE ROLE plain LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO plain'))
  const facts = await gatherDatabase({ ...settings(), DATABASE_URL: postgres.url.replace('postgres@', 'plain@') })
  t.like(facts, { failure: undefined, powers: [], encoding: 'UTF8', isReadOnly: false, isEncrypted: false, fsync: 'off', kept: { admins: 1 } })
  t.true((facts.roomForConnections ?? 0) > 50)
})

when('the role that compose makes rules its own database alone, and migrates it', async t => {
  const script = fileURLToPath(new URL('../../docs/compose/role.sql', import.meta.url))
  await promisify(execFile)(join((await findPostgres()) ?? '', 'psql'), ['-v', 'ON_ERROR_STOP=1', '--no-psqlrc', '-d', postgres.url, '-f', script], {
    env: { ...process.env, POSTGRES_PASSWORD: 'letters1' },
  })
  const own = { ...settings(), DATABASE_URL: postgres.url.replace('postgres@', 'authy2:letters1@').replace(/postgres$/, 'authy2') }
  t.like(await gatherDatabase(own), { failure: undefined, powers: [], encoding: 'UTF8', migrations: { isEmpty: true } })
  const { applied, close } = await openResources(readConfig({ ...own, NODE_ENV: 'test', LOG_LEVEL: 'silent' }))
  await close()
  t.true(applied.length > 0)
})

when('a history of migrations that is not ours is told', async t => {
  await withResources(async ({ database: { pool } }) => {
    await pool.query(`UPDATE _prisma_migrations SET checksum = 'other' WHERE migration_name LIKE '%_initial'`)
    await pool.query(`UPDATE _prisma_migrations SET migration_name = '20990101000000_later' WHERE migration_name LIKE '%_agents'`)
  })
  const { wrong, warnings } = await consult(settings())
  t.deepEqual(
    wrong.filter(code => code.startsWith('migrations')),
    ['migrations_missing', 'migrations_edited'],
  )
  t.true(warnings.includes('migrations_unknown'))
})

when('a Redis that evicts, keeps nothing, or refuses the password is told from one that is well', async t => {
  t.like(await gatherRedis({ REDIS_URL: redis.url }), { evictionPolicy: 'noeviction', isPersistent: true, failure: undefined })
  const { client, close } = await openRedis(redis.url)
  await client.config('SET', 'save', '')
  await client.config('SET', 'maxmemory-policy', 'allkeys-lru')
  t.like(await gatherRedis({ REDIS_URL: redis.url }), { evictionPolicy: 'allkeys-lru', isPersistent: false })
  await client.config('SET', 'requirepass', 'right')
  const wrong = redis.url.replace('redis://', 'redis://:wrong@')
  t.regex((await gatherRedis({ REDIS_URL: wrong })).failure?.reason ?? '', /^WRONGPASS/)
  t.regex((await gatherRedis({ REDIS_URL: redis.url })).failure?.reason ?? '', /^NOAUTH/)
  t.deepEqual(
    (await consult({ ...settings(), REDIS_URL: wrong })).wrong.filter(code => code.startsWith('redis')),
    ['redis_refused'],
  )
  await client.config('SET', 'requirepass', '')
  await close()
})

test.serial('a mail server without encryption is told from one that is not there', async t => {
  const smtp = await startSmtp()
  t.like(await gatherMail({ SMTP_URL: smtp.url }), { isEncrypted: false, failure: undefined })
  await smtp.close()
  t.is((await gatherMail({ SMTP_URL: smtp.url })).failure?.code, 'ESOCKET')
})

test.serial('a certificate that nobody vouches for is told, and what stands behind it is looked at', async t => {
  const { cert, key } = await certify({ subject: 'CN=localhost', names: [{ type: 'dns', value: 'localhost' }] })
  const server = createServer({ cert, key }, (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'application/json', Date: new Date(Date.now() - 3_600_000).toUTCString() })
    response.end('{"issuer":"https://other.example"}')
  }).listen(0, 'localhost')
  await new Promise(resolve => server.once('listening', resolve))
  const facts = await gatherIssuer({ ISSUER: `https://localhost:${(server.address() as AddressInfo).port}` })
  t.truthy(facts.certificateFault)
  t.deepEqual(facts.discovery, { status: 200, issuer: 'https://other.example' })
  t.true((facts.clockAheadSeconds ?? 0) < -3000)
  server.close()
})

when('servers that take connections and never answer are told, within the limits of time', async t => {
  const mail = await startSilence()
  postgres.signal('SIGSTOP')
  redis.signal('SIGSTOP')
  try {
    const { wrong } = await consult({ ...settings(), SMTP_URL: mail.url })
    t.deepEqual(wrong, ['database_unreachable', 'redis_unreachable', 'smtp_unreachable'])
  } finally {
    postgres.signal('SIGCONT')
    redis.signal('SIGCONT')
    mail.close()
  }
})

test.serial('a file that never ends does not keep the doctor', async t => {
  // A pipe that nobody writes to: what reads it hangs for good, and so would the end of the process that reads.
  const pipe = join(home, 'pipe')
  t.is(spawnSync('mkfifo', [pipe]).status, 0)
  writeFileSync(join(home, 'key.pem'), '', { mode: 0o600 })
  const given = { ISSUER: 'https://localhost:9', TLS_CERT_FILE: pipe, TLS_KEY_FILE: join(home, 'key.pem') }
  const { isWell } = await consult(given, '--seconds', '3')
  t.true(isWell)
})

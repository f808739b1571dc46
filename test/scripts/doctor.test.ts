// What the doctor finds: each misconfiguration alone, in surroundings where all is well.
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { promisify } from 'node:util'
import test from 'ava'
import { checks, examine } from '../../scripts/doctor/examine.ts'
import { gatherCollector } from '../../scripts/doctor/gather/collector.ts'
import { gatherMachine } from '../../scripts/doctor/gather/machine.ts'
import { asJson, asText } from '../../scripts/doctor/report.ts'
import { misspelt } from '../../scripts/doctor/spelling.ts'
import { settingNames } from '../../src/config.ts'
import { certify, writeFiles } from '../support/certificates.ts'
import { development, findWith, migrations, refused, rows } from '../support/misconfigurations.ts'

for (const [index, [code, change]] of rows.entries())
  test(`misconfiguration ${index + 1} is found as ${code}, alone and with its mend`, t => {
    const findings = findWith(change)
    t.deepEqual(
      findings.map(one => one.code),
      [code],
    )
    for (const { what, why, mend } of findings) {
      t.regex(what, /^\S.+\.$/)
      t.regex(why, /^\S.+\.$/)
      t.notRegex(mend, /\n/)
      t.true(mend.length > 10)
    }
  })

test('every check has its row', t => {
  const shown = new Set(rows.map(([code]) => code))
  t.deepEqual(
    checks.filter(({ code }) => !shown.has(code)).map(({ code }) => code),
    [],
  )
})

test('nothing is found where all is well, in production and on a machine where nothing is set', t => {
  t.deepEqual(findWith({}), [])
  t.deepEqual(
    findWith({ settings: development, issuer: { discovery: undefined }, kept: { demo: ['admin@authy2.local'], admins: 1, adminsOfOneFactor: 1 } }),
    [],
  )
  t.deepEqual(examine({}, { machine: {}, database: {}, redis: {}, issuer: {}, mail: {}, collector: {} }), [])
})

test('an empty database is no fault: the first start migrates it', t => {
  t.deepEqual(
    findWith({ database: { migrations: { ...migrations, isEmpty: true, missing: ['20261122000000_initial'] }, keys: undefined, kept: undefined } }),
    [],
  )
})

test('connections that just suffice are no fault, by the size of the pool and with one more a process', t => {
  t.deepEqual(findWith({ database: { roomForConnections: 11 } }), [])
  t.deepEqual(findWith({ settings: { DATABASE_POOL_SIZE: '5' } }), [])
  t.deepEqual(findWith({ settings: { DATABASE_POOL_SIZE: '20', WORKERS: '2', RUN_JOBS: 'false' }, database: { roomForConnections: 63 } }), [])
})

test('a server that misses several settings is told all of them, what stops it first', t => {
  const findings = findWith({ settings: { SECRET_KEY: '', CORS_ORIGINS: '*', LOG_LEVEL: 'debug' }, redis: { isPersistent: false } })
  t.deepEqual(
    findings.map(({ level, code }) => [level, code]),
    [
      ['wrong', 'secret_key_missing'],
      ['wrong', 'cors_everybody'],
      ['warning', 'log_verbose'],
      ['warning', 'redis_forgetful'],
    ],
  )
})

test('a name is misspelt only where it resembles a setting', t => {
  const names = [
    'PATH',
    'HOME',
    'HOSTNAME',
    'POD_NAME',
    'NODE_OPTIONS',
    'NODE_VERSION',
    'SHELL',
    'TERM',
    'LOGNAME',
    'LANG',
    'MAIL',
    'PORT',
    'SSL_CERT_FILE',
    'SSL_CERT_DIR',
    'npm_config_cache',
  ]
  t.deepEqual(misspelt(names, settingNames), [])
  const wrong = {
    SECRETKEY: 'SECRET_KEY',
    DATABASE_URI: 'DATABASE_URL',
    REDISURL: 'REDIS_URL',
    issuer: 'ISSUER',
    AUTHY2_SMTP_URL: 'SMTP_URL',
    LOGLEVEL: 'LOG_LEVEL',
    SECERT_KEY: 'SECRET_KEY',
    ISSEUR: 'ISSUER',
    TLS_CRET_FLIE: 'TLS_CERT_FILE',
  }
  t.deepEqual(
    misspelt(Object.keys(wrong), settingNames),
    Object.entries(wrong).map(([name, meant]) => ({ name, meant })),
  )
})

test('the report says what, why and how to mend it, to people and to programs', t => {
  const findings = findWith({ settings: { TRUST_PROXY: '0' }, redis: { isPersistent: false } })
  const text = asText({ findings, unexamined: [] })
  t.regex(text, /^wrong +The issuer is https and the server http, but TRUST_PROXY is 0\.\n +Why .+\n +Mend .+/)
  t.regex(text, /\n1 wrong, 1 warning\.$/)
  const told = JSON.parse(asJson({ findings, unexamined: [] }))
  t.like(told, { is_well: false, wrong: [{ code: 'proxy_untrusted' }], warnings: [{ code: 'redis_forgetful' }], unexamined: [] })
  t.is(asText({ findings: [], unexamined: [] }), 'All is well.')
  t.like(JSON.parse(asJson({ findings: findings.slice(1), unexamined: [] })), { is_well: true })
})

test('no finding repeats a password', t => {
  const secrets = {
    DATABASE_URL: 'postgresql://authy2:canary-1@db.example.com/authy2',
    REDIS_URL: 'redis://:canary-2@redis.example.com',
    SECRET_KEY: 'canary-3',
    SMTP_URL: 'smtp://user:canary-4@mail.example.com',
  }
  const everything = findWith({
    settings: secrets,
    database: { ...refused('refused'), isEncrypted: false },
    redis: refused('refused'),
    mail: { ...refused('refused'), isEncrypted: false, isDomainKnown: false },
  })
  t.true(everything.length >= 6)
  t.notRegex(JSON.stringify(everything), /canary/)
})

test('files of TLS with which the server does not start, or nobody believes it, are told with what is the matter', async t => {
  const of = (host: string) => certify({ subject: 'CN=id.example.com', names: [{ type: 'dns', value: host }] })
  const [own, other, nameless] = await Promise.all([of('id.example.com'), of('www.example.com'), certify({ subject: 'CN=id.example.com' })])
  const files = writeFiles({
    cert: own.cert,
    key: own.key,
    other: other.cert,
    otherKey: other.key,
    nameless: nameless.cert,
    namelessKey: nameless.key,
    text: 'x',
  })
  const find = async (TLS_CERT_FILE: string, TLS_KEY_FILE: string, more: Record<string, string> = {}) => {
    const settings = { ISSUER: 'https://id.example.com', TRUST_PROXY: '0', TLS_CERT_FILE, TLS_KEY_FILE, ...more }
    const { tls, tlsKey } = await gatherMachine(settings)
    return findWith({ settings, machine: { tls, tlsKey } }).flatMap(({ code, level }) => (level === 'wrong' ? [code] : []))
  }
  const { cert = '', key = '', other: otherCert = '', otherKey = '', nameless: namelessCert = '', namelessKey = '', text = '' } = files
  t.deepEqual(await find(cert, key), [])
  t.deepEqual(await find('/nowhere/tls.crt', key), ['tls_files_unusable'])
  t.deepEqual(await find(text, key), ['tls_files_unusable'])
  t.deepEqual(await find(cert, text), ['tls_files_unusable'])
  t.deepEqual(await find(cert, '/nowhere/tls.key'), ['tls_key_unusable'])
  t.deepEqual(await find(cert, otherKey), ['tls_key_other'])
  t.deepEqual(await find(otherCert, otherKey), ['tls_certificate_other'])
  t.deepEqual(await find(otherCert, otherKey, { TRUST_PROXY: '1' }), [], 'a proxy in front calls us by another name')
  t.deepEqual(await find(namelessCert, namelessKey), ['tls_certificate_other'])
  t.deepEqual(await find(cert, key, { TLS_CLIENT_CA_FILE: text }), ['tls_files_unusable'])
})

test('jobs that wait for some minutes are no fault of processes that do them by themselves', t => {
  t.deepEqual(findWith({ kept: { overdueMinutes: 3 } }), [])
  t.deepEqual(findWith({ settings: { RUN_JOBS: 'false' }, kept: { overdueMinutes: 1 } }), [])
})

test('a clock by which a process is taken out of service is wrong, and one less far off a warning', t => {
  const levels = [29, 30, -30, 3600].map(clockAheadSeconds => findWith({ database: { clockAheadSeconds } })[0]?.level)
  t.deepEqual(levels, ['warning', 'wrong', 'wrong', 'wrong'])
})

test('a collector is connected to, and one where nothing listens is told', async t => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  t.deepEqual(await gatherCollector({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }), {})
  await promisify(server.close.bind(server))()
  t.is((await gatherCollector({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })).failure?.code, 'ECONNREFUSED')
  t.deepEqual(await gatherCollector({}), {})
})

// The settings: read once, told at once.
import { readFileSync } from 'node:fs'
import test from 'ava'
import { ConfigError, readConfig, settingNames } from '../src/config.ts'

const production = {
  NODE_ENV: 'production',
  ISSUER: 'https://id.example.com',
  DATABASE_URL: 'postgresql://authy2@db.example.com/authy2',
  REDIS_URL: 'redis://redis.example.com',
  SECRET_KEY: 'q7Zt0VbN3xLr8Kd5Wm2Yc9Hf4Jg6Ps1Ae0RuTiOoLlKk',
}
const faultsOf = (environment: Record<string, string>) => {
  try {
    readConfig(environment)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
}

test('no settings at all are development on port 3000', t => {
  t.like(readConfig({}), { environment: 'development', port: 3000, issuer: 'http://localhost:3000', dataDir: './data', isDemoSeeded: true, trustedProxies: 0 })
  t.false(readConfig({ ISSUER: 'https://id.example.com' }).isDemoSeeded)
})

test('an empty setting is as good as an absent one', t => {
  t.deepEqual(readConfig({ PORT: '', ISSUER: '', SEED_DEMO: '', DATABASE_URL: '' }), readConfig({}))
})

test('the issuer follows the port', t => {
  t.is(readConfig({ PORT: '3100' }).issuer, 'http://localhost:3100')
})

test('production with all it needs is accepted, without demo data', t => {
  t.like(readConfig(production), { environment: 'production', isDemoSeeded: false })
})

test('production tells all that is missing at once', t => {
  const faults = faultsOf({ NODE_ENV: 'production', PORT: 'eighty' })
  for (const name of ['PORT', 'ISSUER', 'DATABASE_URL', 'REDIS_URL', 'SECRET_KEY'])
    t.true(
      faults.some(fault => fault.startsWith(name)),
      name,
    )
})

test('production refuses weak settings', t => {
  t.is(faultsOf({ ...production, ISSUER: 'http://id.example.com' }).length, 1)
  t.is(faultsOf({ ...production, SECRET_KEY: 'a'.repeat(64) }).length, 1)
  t.is(faultsOf({ ...production, SECRET_KEY: `change-me-${'0123456789abcdefghij'.repeat(2)}` }).length, 1)
  t.is(faultsOf({ ...production, SECRET_KEY: 'short' }).length > 0, true)
  t.is(faultsOf({ ...production, SEED_DEMO: 'true' }).length, 1)
})

test('an http issuer is for loopback', t => {
  t.deepEqual(faultsOf({ ...production, ISSUER: 'http://127.0.0.1:3000' }), [])
})

test('an issuer is an origin', t => {
  for (const issuer of ['https://id.example.com/', 'https://id.example.com/path', 'id.example.com', 'https://id.example.com?x=1'])
    t.is(faultsOf({ ISSUER: issuer }).length, 1, issuer)
})

test('a Redis is an address that can be read, with a database that can be', t => {
  t.is(readConfig({ REDIS_URL: 'rediss://ada:p%40ss@redis.example.com/3' }).redisUrl, 'rediss://ada:p%40ss@redis.example.com/3')
  for (const wrong of ['http://redis', 'redis://', 'redis://user:p%zz@redis', 'redis://redis/prod', 'redis://a,b/1']) {
    const faults = faultsOf({ REDIS_URL: wrong })
    t.is(faults.length, 1, wrong)
    t.regex(faults[0] ?? '', /^REDIS_URL must /)
    t.notRegex(faults[0] ?? '', /p%zz/)
  }
})

test('a key of age for backups is one', t => {
  t.is(readConfig({ BACKUP_KEY: 'correct horse battery staple' }).backupKey, 'correct horse battery staple')
  for (const wrong of ['age1foobarfoobarfoobar', 'AGE-SECRET-KEY-1FOOBAR', 'short']) {
    const faults = faultsOf({ BACKUP_KEY: wrong })
    t.is(faults.length, 1, wrong)
    t.true(faults.every(fault => fault.startsWith('BACKUP_KEY ') && !fault.includes(wrong)))
  }
})

test('production is not led into the database that PostgreSQL keeps for itself by a name that was left out', t => {
  for (const url of ['postgresql://postgres@db.example.com', 'postgres://postgres:secret@db.example.com:5432/?sslmode=require'])
    t.deepEqual(
      faultsOf({ ...production, DATABASE_URL: url }).map(fault => fault.split(' ', 3).join(' ')),
      ['DATABASE_URL names no'],
      url,
    )
  t.is(faultsOf({ ...production, DATABASE_URL: 'postgresql://db.example.com', PGUSER: 'postgres' }).length, 1)
  for (const url of ['postgresql://postgres@db.example.com/postgres', 'postgresql://authy2@db.example.com', 'postgresql:///authy2?host=/run/postgresql'])
    t.deepEqual(faultsOf({ ...production, DATABASE_URL: url }), [], url)
  t.deepEqual(faultsOf({ ...production, DATABASE_URL: 'postgresql://postgres@db.example.com', PGDATABASE: 'authy2' }), [])
  t.deepEqual(faultsOf({ DATABASE_URL: 'postgresql://postgres@db.example.com' }), [])
})

test('what may be fetched from inside is told in blocks of addresses', t => {
  t.deepEqual(readConfig({}).outboundAllowed, [])
  t.deepEqual(readConfig({ OUTBOUND_ALLOW: '10.20.0.0/16, fd00::/8' }).outboundAllowed, ['10.20.0.0/16', 'fd00::/8'])
  for (const wrong of ['10.20.0.1', 'idp.internal', '10.0.0.0/33', '10.0.0.0/8;x']) t.is(faultsOf({ OUTBOUND_ALLOW: wrong }).length, 1, wrong)
})

test('the fewest characters of a password are 12 unless told otherwise, and from 8 to 64', t => {
  t.is(readConfig({}).passwordMinLength, 12)
  t.is(readConfig({ PASSWORD_MIN_LENGTH: '15' }).passwordMinLength, 15)
  for (const wrong of ['7', '65', 'many', '12.5']) t.is(faultsOf({ PASSWORD_MIN_LENGTH: wrong }).length, 1, wrong)
})

test('a provider is configured by a whole pair', t => {
  t.deepEqual(readConfig({}).providers, {})
  const { providers } = readConfig({
    GITHUB_CLIENT_ID: 'a',
    GITHUB_CLIENT_SECRET: 'b',
    MICROSOFT_CLIENT_ID: 'c',
    MICROSOFT_CLIENT_SECRET: 'd',
    MICROSOFT_TENANT: 'Company.Example',
  })
  t.deepEqual(providers, {
    github: { settings: { client_id: 'a' }, secrets: { client_secret: 'b' } },
    microsoft: { settings: { client_id: 'c', tenant: 'company.example' }, secrets: { client_secret: 'd' } },
  })
  const halves: Record<string, string>[] = [{ GOOGLE_CLIENT_ID: 'a' }, { GITHUB_CLIENT_SECRET: 'a' }, { MICROSOFT_CLIENT_ID: 'a', MICROSOFT_TENANT: 'common' }]
  for (const half of halves) t.is(faultsOf(half).length, 1, JSON.stringify(half))
  t.is(faultsOf({ MICROSOFT_TENANT: 'common' }).length, 2)
  t.is(faultsOf({ ...production, GOOGLE_CLIENT_ID: 'a', ISSUER: 'http://id.example.com' }).length, 2)
})

test('settings of TLS go together', t => {
  t.deepEqual(readConfig({ TLS_CERT_FILE: 'c', TLS_KEY_FILE: 'k', ISSUER: 'https://id.example.com' }).tls.own, { certFile: 'c', keyFile: 'k' })
  t.like(readConfig({ TRUST_PROXY: '1', CLIENT_CERTIFICATE_HEADER: 'Client-Cert' }).tls, { clientHeader: 'Client-Cert' })
  const wrong: Record<string, string>[] = [
    { TLS_CERT_FILE: 'c' },
    { TLS_KEY_FILE: 'k' },
    { TLS_CERT_FILE: 'c', TLS_KEY_FILE: 'k', ISSUER: 'http://id.example.com' },
    { CLIENT_CERTIFICATE_HEADER: 'Client-Cert' },
    { CLIENT_CERTIFICATE_HEADER: 'Client-Cert', TRUST_PROXY: '0' },
    { CLIENT_CERTIFICATE_HEADER: 'a b', TRUST_PROXY: '1' },
    { TLS_CLIENT_CA_FILE: 'ca' },
    { MTLS_ORIGIN: 'https://mtls.example.com' },
    { MTLS_ORIGIN: 'mtls.example.com', CLIENT_CERTIFICATE_HEADER: 'Client-Cert', TRUST_PROXY: '1' },
  ]
  for (const settings of wrong) t.is(faultsOf(settings).length, 1, JSON.stringify(settings))
})

test('several processes need a database that takes several', t => {
  t.like(readConfig({}), { workers: 1, shutdownGraceSeconds: 0, databasePoolSize: 10 })
  t.like(readConfig({ ...production, WORKERS: '4', DATABASE_POOL_SIZE: '20' }), { workers: 4, shutdownGraceSeconds: 5, databasePoolSize: 20 })
  t.is(readConfig({ ...production, SHUTDOWN_GRACE_SECONDS: '0' }).shutdownGraceSeconds, 0)
  t.is(faultsOf({ WORKERS: '2' }).length, 1)
  const wrong: Record<string, string>[] = [{ WORKERS: '0' }, { WORKERS: 'many' }, { SHUTDOWN_GRACE_SECONDS: '-1' }, { DATABASE_POOL_SIZE: '0' }]
  for (const settings of wrong) t.is(faultsOf(settings).length, 1, JSON.stringify(settings))
})

test('a token for metrics is long, and one that a header can hold', t => {
  t.is(readConfig({}).metricsToken, undefined)
  t.is(readConfig({ METRICS_TOKEN: 'a'.repeat(32) }).metricsToken, 'a'.repeat(32))
  for (const wrong of ['a'.repeat(31), `${'a'.repeat(40)} b`, 'ä'.repeat(40)]) t.is(faultsOf({ METRICS_TOKEN: wrong }).length, 1, wrong)
})

test('traces go to a collector that is named, with its headers', t => {
  t.is(readConfig({ OTEL_SERVICE_NAME: 'x' }).tracing, undefined)
  const tracing = readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318', OTEL_EXPORTER_OTLP_HEADERS: 'api-key=a%20b, x=1=2' }).tracing
  t.deepEqual(tracing, { endpoint: 'http://localhost:4318', headers: { 'api-key': 'a b', x: '1=2' }, serviceName: 'authy2', share: 1 })
  for (const wrong of ['localhost:4318', 'ftp://a', 'x']) t.is(faultsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: wrong }).length, 1, wrong)
  for (const wrong of ['api-key', '=a', 'a b=c']) t.is(faultsOf({ OTEL_EXPORTER_OTLP_HEADERS: wrong }).length, 1, wrong)
  for (const wrong of ['2', '-1', 'half']) t.is(faultsOf({ OTEL_TRACES_SAMPLER_ARG: wrong }).length, 1, wrong)
})

test('a fault names its setting and says what it takes, in one sentence of ours', t => {
  const told: Record<string, string> = {
    JWKS_MAX_AGE_SECONDS: 'must be a whole number of seconds from 1 to 86400',
    DATABASE_POOL_SIZE: 'must be a whole number of connections from 1 to 500',
    KEY_ROTATION_DAYS: 'must be a whole number of days from 0 to 3650; 0 lets keys become as old as they like',
    NODE_ENV: 'must be development, test or production',
    AGENTS: 'must be on or off',
    RESPONSE_TYPES: 'must be code, id_token and code id_token or some of them, separated by commas',
  }
  for (const [name, sentence] of Object.entries(told))
    for (const wrong of ['9999999', '-1', '1.5', 'prod']) t.deepEqual(faultsOf({ [name]: wrong }), [`${name} ${sentence}`], `${name}=${wrong}`)
  t.deepEqual(faultsOf({ CORS_ORIGINS: 'https://a.example/, *' }), ['CORS_ORIGINS must be origins such as https://app.example.com, separated by commas'])
})

test('no setting is answered for in the words of the library that reads it', t => {
  // Long, no number within any bounds, no address, and no word of any list.
  const odd = `- ${'x'.repeat(2000)}`
  const faults = settingNames.flatMap(name => faultsOf({ [name]: odd }).filter(fault => !/ (must|needs|is missing|belong)/.test(fault)))
  t.deepEqual(faults, [])
  t.deepEqual(
    settingNames.flatMap(name => faultsOf({ [name]: '99999999999' }).filter(fault => /^[A-Z_]+\.\d|expected|Invalid/.test(fault))),
    [],
  )
})

test('.env.example lists every setting and no other', t => {
  const text = readFileSync(new URL('../.env.example', import.meta.url), 'utf8')
  const listed = [...text.matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name)
  t.deepEqual(listed.toSorted(), [...settingNames].toSorted())
})

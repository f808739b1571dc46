// Settings and surroundings in which all is well, and what may be wrong with them: one misconfiguration a row.
import { examine } from '../../scripts/doctor/examine.ts'
import type { DatabaseFacts, Environment, Found, KeptFacts, MigrationFacts } from '../../scripts/doctor/facts.ts'

const environment: Environment = {
  NODE_ENV: 'production',
  ISSUER: 'https://id.example.com',
  DATABASE_URL: 'postgresql://authy2@db.example.com/authy2',
  REDIS_URL: 'rediss://redis.example.com',
  SECRET_KEY: 'q7Zt0VbN3xLr8Kd5Wm2Yc9Hf4Jg6Ps1Ae0RuTiOoLlKk',
  TRUST_PROXY: '1',
  SMTP_URL: 'smtps://user:pass@mail.example.com',
  HOSTNAME: 'id-1',
  HOME: '/home/authy2',
}
/** A history that is ours. */
export const migrations: MigrationFacts = { isEmpty: false, missing: [], unknown: [], edited: [], unfinished: [] }
const kept: KeptFacts = { demo: [], admins: 2, adminsOfOneFactor: 0, deadJobs: 0, overdueMinutes: 1 }
const keys = { withoutCurrent: [], withoutNext: [], oldestDays: 30, isOpened: true }
const database: DatabaseFacts = {
  version: 170_002,
  fsync: 'on',
  synchronousCommit: 'on',
  fullPageWrites: 'on',
  encoding: 'UTF8',
  isReadOnly: false,
  isEncrypted: true,
  roomForConnections: 97,
  powers: [],
  clockAheadSeconds: 0.1,
  migrations,
  keys,
  sealed: { areLastingOpened: true, older: 0 },
  kept,
}
const found: Found = {
  machine: { nodeVersion: '24.21.0', openFiles: 65_536, freeBytes: 50_000_000_000, dataDir: { mode: 0o700, isUsable: true } },
  database,
  redis: { version: '7.4.1', evictionPolicy: 'noeviction', isPersistent: true },
  issuer: { certificateDays: 60, discovery: { status: 200, issuer: 'https://id.example.com' }, clockAheadSeconds: -0.4 },
  mail: { isEncrypted: true, isDomainKnown: true },
  collector: {},
}

/** What is other than well. */
export interface Change {
  readonly settings?: Environment
  readonly machine?: Found['machine']
  readonly database?: DatabaseFacts
  readonly kept?: Partial<KeptFacts>
  readonly redis?: Found['redis']
  readonly issuer?: Found['issuer']
  readonly mail?: Found['mail']
  readonly collector?: Found['collector']
}

/** What the doctor finds where only that is other. */
export const findWith = (change: Change) =>
  examine(
    { ...environment, ...change.settings },
    {
      machine: { ...found.machine, ...change.machine },
      database: { ...database, ...change.database, ...(change.kept ? { kept: { ...kept, ...change.kept } } : {}) },
      redis: { ...found.redis, ...change.redis },
      issuer: { ...found.issuer, ...change.issuer },
      mail: { ...found.mail, ...change.mail },
      collector: { ...found.collector, ...change.collector },
    },
  )

/** The settings of a machine where nothing is set. */
export const development = { NODE_ENV: '', ISSUER: '', DATABASE_URL: '', REDIS_URL: '', SECRET_KEY: '', TRUST_PROXY: '', SMTP_URL: '' }
/** A place that cannot be asked. */
export const refused = (reason: string) => ({ failure: { code: 'ECONNREFUSED', reason } })

/** One misconfiguration a row, and what is found: that one alone. */
export const rows: readonly (readonly [code: string, Change])[] = [
  ['secret_key_missing', { settings: { SECRET_KEY: '' } }],
  ['secret_key_example', { settings: { SECRET_KEY: 'change-me-q7Zt0VbN3xLr8Kd5Wm2Yc9Hf4Jg6' } }],
  ['secret_key_weak', { settings: { SECRET_KEY: 'q7Zt0VbN3xLr8Kd5' } }],
  ['secret_key_weak', { settings: { SECRET_KEY: 'a'.repeat(64) } }],
  ['secret_key_weak', { settings: { SECRET_KEY: '0123456789abcdef'.repeat(4) } }],
  ['secret_key_previous_same', { settings: { SECRET_KEY_PREVIOUS: `k3Qp8WxZ1vRt6YbN0mLs5Jd2Hf7Gc4Ae9UiOo_Vw, ${environment.SECRET_KEY}` } }],
  ['secret_key_other', { database: { keys: { ...keys, isOpened: false } } }],
  ['secret_key_other', { database: { keys: { ...keys, isOpened: false }, sealed: { areLastingOpened: false, older: 40 } } }],
  ['lasting_keys_closed', { database: { sealed: { areLastingOpened: false, older: 40 } } }],
  ['sealed_under_older', { database: { sealed: { areLastingOpened: true, older: 40 } } }],
  ['setting_misspelt', { settings: { SECRETKEY: 'x' } }],
  ['setting_misspelt', { settings: { AUTHY2_ISSUER: 'https://id.example.com' } }],
  ['setting_misspelt', { settings: { TRUSTED_PROXY: '1' } }],
  ['setting_refused', { settings: { PORT: 'eighty' } }],
  ['setting_refused', { settings: { GITHUB_CLIENT_ID: 'half a pair' } }],
  ['environment_not_production', { settings: { NODE_ENV: 'development' } }],
  ['demo_seeded', { settings: { SEED_DEMO: 'true' } }],
  ['cors_everybody', { settings: { CORS_ORIGINS: '*' } }],
  ['cors_everybody', { settings: { CORS_ORIGINS: 'https://app.example.com, null' } }],
  ['cors_odd', { settings: { CORS_ORIGINS: 'http://localhost:5173' } }],
  ['setting_refused', { settings: { CORS_ORIGINS: 'https://app.example.com/' } }],
  ['outbound_wide', { settings: { OUTBOUND_ALLOW: '10.20.0.0/16,0.0.0.0/0' } }],
  ['outbound_wide', { settings: { OUTBOUND_ALLOW: '169.254.0.0/16' } }],
  ['outbound_wide', { settings: { OUTBOUND_ALLOW: '::/16' } }],
  ['keys_unrotated', { settings: { KEY_ROTATION_DAYS: '0' } }],
  ['log_verbose', { settings: { LOG_LEVEL: 'trace' } }],
  ['issuer_malformed', { settings: { ISSUER: 'https://id.example.com/auth' } }],
  ['issuer_malformed', { settings: { ISSUER: 'https://id.example.com/' } }],
  ['issuer_malformed', { settings: { ISSUER: 'id.example.com' } }],
  ['issuer_http', { settings: { ISSUER: 'http://id.example.com' }, issuer: { discovery: undefined } }],
  ['cookies_in_clear', { settings: { ...development, ISSUER: 'http://id.example.com' }, issuer: { discovery: undefined } }],
  ['issuer_loopback', { settings: { ISSUER: 'http://localhost:3000' }, issuer: { discovery: undefined } }],
  ['issuer_unknown', { issuer: { resolves: false, discovery: undefined } }],
  ['certificate_untrusted', { issuer: { certificateFault: 'DEPTH_ZERO_SELF_SIGNED_CERT' } }],
  ['certificate_expiring', { issuer: { certificateDays: 5 } }],
  ['issuer_unreachable', { issuer: { discovery: undefined, ...refused('connect ECONNREFUSED 192.0.2.1:443') } }],
  ['issuer_other', { issuer: { discovery: { status: 200, issuer: 'https://other.example.com' } } }],
  ['issuer_other', { issuer: { discovery: { status: 502 } } }],
  ['clock_of_issuer', { issuer: { clockAheadSeconds: -95 } }],
  ['proxy_untrusted', { settings: { TRUST_PROXY: '0' } }],
  ['proxy_wide', { settings: { TRUST_PROXY: '10' } }],
  ['database_embedded', { settings: { DATABASE_URL: '' } }],
  ['database_unreachable', { database: refused('password authentication failed for user "authy2"') }],
  ['database_old', { database: { version: 140_011 } }],
  ['database_fsync_off', { database: { fsync: 'off' } }],
  ['database_torn_pages', { database: { fullPageWrites: 'off' } }],
  ['database_commits_late', { database: { synchronousCommit: 'off' } }],
  ['database_encoding', { database: { encoding: 'SQL_ASCII' } }],
  ['database_read_only', { database: { isReadOnly: true } }],
  ['database_role_mighty', { database: { powers: ['it is a superuser'] } }],
  ['database_in_clear', { database: { isEncrypted: false } }],
  ['connections_short', { settings: { RUN_JOBS: 'false' }, database: { roomForConnections: 21 } }],
  ['connections_short', { database: { roomForConnections: 10 } }],
  ['connections_short', { settings: { DATABASE_POOL_SIZE: '20', WORKERS: '2', RUN_JOBS: 'false' }, database: { roomForConnections: 62 } }],
  ['connections_few', { settings: { DATABASE_POOL_SIZE: '2' } }],
  ['connections_few', { settings: { DATABASE_POOL_SIZE: '4', WORKERS: '4' } }],
  ['clock_of_database', { database: { clockAheadSeconds: 4 } }],
  ['clock_of_database', { database: { clockAheadSeconds: -29.9 } }],
  ['clock_of_database_far', { database: { clockAheadSeconds: 30 } }],
  ['clock_of_database_far', { database: { clockAheadSeconds: -95 } }],
  ['migrations_missing', { database: { migrations: { ...migrations, missing: ['20270101000000_more'] } } }],
  ['migrations_unknown', { database: { migrations: { ...migrations, unknown: ['20290101000000_later'] } } }],
  ['migrations_edited', { database: { migrations: { ...migrations, edited: ['20261122000000_initial'] } } }],
  ['migrations_unfinished', { database: { migrations: { ...migrations, unfinished: ['20261122000000_initial'] } } }],
  ['keys_missing', { database: { keys: { ...keys, withoutCurrent: ['ES256'] } } }],
  ['keys_next_missing', { database: { keys: { ...keys, withoutNext: ['ES256'] } } }],
  ['keys_old', { database: { keys: { ...keys, oldestDays: 400 } } }],
  ['demo_kept', { kept: { demo: ['admin@authy2.local'] } }],
  ['admins_none', { kept: { admins: 0 } }],
  ['admins_of_one_factor', { kept: { adminsOfOneFactor: 1 } }],
  ['jobs_overdue', { settings: { RUN_JOBS: 'false' }, kept: { overdueMinutes: 45 } }],
  ['jobs_untaken', { settings: { RUN_JOBS: 'false' }, kept: { overdueMinutes: 3 } }],
  ['jobs_dead', { kept: { deadJobs: 3 } }],
  ['redis_missing', { settings: { REDIS_URL: '' } }],
  ['redis_unreachable', { redis: refused('connect ECONNREFUSED 192.0.2.1:6379') }],
  ['redis_refused', { redis: refused('WRONGPASS invalid username-password pair or user is disabled.') }],
  ['redis_old', { redis: { version: '6.2.14' } }],
  ['redis_evicting', { redis: { evictionPolicy: 'allkeys-lru' } }],
  ['redis_forgetful', { redis: { isPersistent: false } }],
  ['redis_in_clear', { settings: { REDIS_URL: 'redis://redis.example.com' } }],
  ['mail_missing', { settings: { SMTP_URL: '' } }],
  ['smtp_unreachable', { mail: refused('connect ECONNREFUSED 192.0.2.1:465') }],
  ['smtp_refused', { mail: { failure: { code: 'EAUTH', reason: 'Invalid login: 535 5.7.8' } } }],
  ['smtp_in_clear', { settings: { SMTP_URL: 'smtp://mail.example.com:25' }, mail: { isEncrypted: false } }],
  ['mail_from_nowhere', { mail: { isDomainKnown: false } }],
  ['collector_unreachable', { collector: refused('connect ECONNREFUSED 192.0.2.1:4318') }],
  ['node_old', { machine: { nodeVersion: '22.3.0' } }],
  ['files_few', { machine: { openFiles: 1024 } }],
  ['disk_full', { settings: development, machine: { freeBytes: 100_000_000 }, issuer: { discovery: undefined } }],
  ['disk_low', { machine: { freeBytes: 100_000_000 } }],
  ['data_dir_open', { settings: development, machine: { dataDir: { mode: 0o755, isUsable: true } }, issuer: { discovery: undefined } }],
  ['data_dir_unusable', { settings: development, machine: { dataDir: { mode: 0o700, isUsable: false } }, issuer: { discovery: undefined } }],
  ['env_file_open', { machine: { environmentFile: { mode: 0o644, isUsable: true } } }],
  ['tls_key_open', { machine: { tlsKey: { mode: 0o644, isUsable: true } } }],
  ['tls_key_unusable', { machine: { tlsKey: { mode: 0, isUsable: false } } }],
  ['tls_files_unusable', { machine: { tls: { fault: 'TLS_CERT_FILE: /etc/authy2/tls.crt cannot be read.' } } }],
  ['tls_key_unusable', { machine: { tlsKey: { mode: 0, isUsable: false }, tls: { fault: 'TLS_KEY_FILE: /etc/authy2/tls.key cannot be read.' } } }],
  ['tls_key_other', { machine: { tls: { fault: 'TLS_CERT_FILE, TLS_KEY_FILE and … must be PEM.', isKeyOther: true } } }],
  [
    'tls_certificate_other',
    { settings: { TRUST_PROXY: '0', TLS_CERT_FILE: 'tls.crt', TLS_KEY_FILE: 'tls.key' }, machine: { tls: { otherNames: 'DNS:www.example.com' } } },
  ],
  ['own_certificate_expiring', { machine: { tls: { certificateDays: 3 } } }],
]

// Checks of the database: whether it is there, keeps what it was given, and is ours alone to rule.
import { mostSkewMilliseconds } from '../../../src/platform/data/clock.ts'
import { connectionsAProcess } from '../../../src/platform/data/connection.ts'
import type { Check } from '../check.ts'
import type { Environment } from '../facts.ts'
import { isLoopback } from '../settings.ts'

const oldest = 150_000
const skewSeconds = 2
const mostSkewSeconds = mostSkewMilliseconds / 1000
// As many as wait for a lock or a slow disk at once, and jobs and purging beside them.
const fewestConnections = 5
const notLost = 'After a loss of power what people were told is done can be undone, or the tables destroyed.'

export const databaseChecks: readonly Check[] = [
  {
    code: 'database_embedded',
    level: 'wrong',
    settings: ['DATABASE_URL'],
    why: 'The embedded database serves one process and has neither replicas nor point-in-time recovery; production does not start on it.',
    mend: 'Set DATABASE_URL to a PostgreSQL 15 or newer.',
    look: ({ environment, settings }) => settings.isProduction && !environment.DATABASE_URL && 'DATABASE_URL is not set in production.',
  },
  {
    code: 'database_unreachable',
    level: 'wrong',
    why: 'Nothing works without the database.',
    mend: 'Look at DATABASE_URL (host, port, user, password, database), at the firewall, and whether PostgreSQL runs.',
    look: ({ database: { failure } }) => failure && `The database cannot be used: ${failure.reason}.`,
  },
  {
    code: 'database_old',
    level: 'wrong',
    why: 'Authy2 is tested with PostgreSQL 15 and newer; older ones lack what it uses, and get no repairs.',
    mend: 'Upgrade PostgreSQL.',
    look: ({ database: { version } }) => version !== undefined && version < oldest && `PostgreSQL is version ${Math.floor(version / 10_000)}.`,
  },
  {
    code: 'database_fsync_off',
    level: 'wrong',
    why: notLost,
    mend: 'Set fsync = on in postgresql.conf.',
    look: ({ database: { fsync } }) => fsync === 'off' && 'PostgreSQL runs with fsync = off.',
  },
  {
    code: 'database_torn_pages',
    level: 'wrong',
    why: notLost,
    mend: 'Set full_page_writes = on in postgresql.conf.',
    look: ({ database: { fullPageWrites } }) => fullPageWrites === 'off' && 'PostgreSQL runs with full_page_writes = off.',
  },
  {
    code: 'database_commits_late',
    level: 'wrong',
    why: 'A code or refresh token that was used up can be good again after a crash, and a revoked session alive.',
    mend: 'Set synchronous_commit = on for this role or in postgresql.conf.',
    look: ({ database: { synchronousCommit } }) => synchronousCommit === 'off' && 'PostgreSQL runs with synchronous_commit = off.',
  },
  {
    code: 'database_encoding',
    level: 'wrong',
    why: 'Names that people write cannot be kept.',
    mend: "Make the database anew: CREATE DATABASE authy2 ENCODING 'UTF8' TEMPLATE template0.",
    look: ({ database: { encoding } }) => encoding !== undefined && encoding !== 'UTF8' && `The encoding of the database is ${encoding}.`,
  },
  {
    code: 'database_read_only',
    level: 'wrong',
    why: 'Nobody can sign in: every sign-in writes.',
    mend: 'Lead DATABASE_URL to the primary, for example by target_session_attrs=read-write or your provider’s writer address.',
    look: ({ database: { isReadOnly } }) => isReadOnly === true && 'DATABASE_URL leads to a server that takes no writes.',
  },
  {
    code: 'database_role_mighty',
    level: 'warning',
    why: 'Whoever finds a way to speak for the server then rules every database of PostgreSQL, and its machine.',
    mend: 'Make a role of its own (CREATE ROLE authy2 LOGIN) that owns its database and nothing else.',
    look: ({ database: { powers = [] } }) => powers.length > 0 && `The role of DATABASE_URL may more than it needs: ${powers.join(', ')}.`,
  },
  {
    code: 'database_in_clear',
    level: 'warning',
    why: 'Addresses and hashes cross the network readable, and whoever stands between can change them.',
    mend: 'Add ?sslmode=verify-full to DATABASE_URL (with sslrootcert for an authority of your own).',
    look: ({ database: { isEncrypted }, settings: { databaseHost: host } }) =>
      isEncrypted === false && host !== undefined && !isLoopback(host) && `The connection to ${host} is not encrypted.`,
  },
  {
    code: 'connections_short',
    level: 'wrong',
    why: 'The last processes to start find no connection, and answer 503 under load.',
    mend: 'Raise max_connections, lower DATABASE_POOL_SIZE, run fewer processes, or put a pooler in session mode in between.',
    look: ({ environment, database: { roomForConnections: room } }) => {
      const wanted = connectionsOf(environment) * processesOf(environment)
      return room !== undefined && room < wanted && `This machine's processes may open ${wanted} connections, and PostgreSQL has room for ${room}.`
    },
  },
  {
    code: 'connections_few',
    level: 'warning',
    why: 'A few slow queries hold all connections of a process, and everybody else there waits or is answered 503.',
    mend: `Set DATABASE_POOL_SIZE to ${fewestConnections} or more (${connectionsAProcess} where it is left out), and rather run fewer WORKERS.`,
    look: ({ environment: { DATABASE_POOL_SIZE: size } }) =>
      /^[1-9]\d*$/.test(size ?? '') && Number(size) < fewestConnections && `DATABASE_POOL_SIZE is ${size}: all requests and jobs of a process share that.`,
  },
  {
    code: 'clock_of_database_far',
    level: 'wrong',
    why: 'A process so far off is not ready, and no balancer leads anybody to it; what it signs, others refuse.',
    mend: 'Set the clock that is wrong, and keep the clocks of all machines by NTP.',
    look: ({ database: { clockAheadSeconds: ahead = 0 } }) => Math.abs(ahead) >= mostSkewSeconds && apart(ahead),
  },
  {
    code: 'clock_of_database',
    level: 'warning',
    why: 'What expires is decided by both clocks: codes die early, or live on after their time.',
    mend: 'Keep the clocks of all machines by NTP.',
    look: ({ database: { clockAheadSeconds: ahead = 0 } }) => Math.abs(ahead) > skewSeconds && Math.abs(ahead) < mostSkewSeconds && apart(ahead),
  },
]

const apart = (seconds: number) => `The database's clock is ${seconds.toFixed(1)} seconds from this machine's.`

// One more looks after health and changes.
const connectionsOf = ({ DATABASE_POOL_SIZE: size }: Environment): number => (Number(size) || connectionsAProcess) + 1

// The web processes of this machine, and a worker where they leave the jobs to one.
const processesOf = ({ WORKERS: workers, RUN_JOBS: jobs }: Environment): number =>
  Math.max(1, Number(workers) || 1) + (jobs === 'false' || jobs === '0' ? 1 : 0)

// Checks of what lies in the database: its schema, keys, people and jobs.
import type { Check } from '../check.ts'
import type { Environment } from '../facts.ts'

const keyDays = 180
const overdueMinutes = 10
const untakenMinutes = 2
const isLeftToWorkers = ({ RUN_JOBS: jobs }: Environment) => jobs === 'false' || jobs === '0'
const few = (names: readonly string[]) => `${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}`

export const keptChecks: readonly Check[] = [
  {
    code: 'migrations_missing',
    level: 'wrong',
    why: 'This version reads and writes columns that are not there yet.',
    mend: 'Run npm run db:migrate (authy2 migrate), or start the server, which does so.',
    look: ({ database: { migrations } }) =>
      migrations !== undefined && !migrations.isEmpty && migrations.missing.length > 0 && `The database lacks ${few(migrations.missing)}.`,
  },
  {
    code: 'migrations_unknown',
    level: 'warning',
    why: 'A newer version has run on it: this one may not understand what that wrote.',
    mend: 'Run the version that the database was brought to, or a newer one.',
    look: ({ database: { migrations } }) =>
      migrations !== undefined && migrations.unknown.length > 0 && `The database knows ${few(migrations.unknown)}, which this version does not.`,
  },
  {
    code: 'migrations_edited',
    level: 'wrong',
    why: 'The schema is not the one that this version was tested with, and the server refuses to start.',
    mend: 'Restore the files of prisma/migrations from the release; put changes into a migration of their own.',
    look: ({ database: { migrations } }) =>
      migrations !== undefined && migrations.edited.length > 0 && `Applied in another wording: ${few(migrations.edited)}.`,
  },
  {
    code: 'migrations_unfinished',
    level: 'wrong',
    why: 'Another tool began it and did not come to its end: half of it may be there.',
    mend: 'Look at the tables, mend them, and mark it with prisma migrate resolve.',
    look: ({ database: { migrations } }) =>
      migrations !== undefined && migrations.unfinished.length > 0 && `Begun and never finished: ${few(migrations.unfinished)}.`,
  },
  {
    code: 'keys_missing',
    level: 'warning',
    why: 'No token can be signed until the server starts, which makes them.',
    mend: 'Start the server once.',
    look: ({ database: { keys } }) => keys !== undefined && keys.withoutCurrent.length > 0 && `No current key for ${keys.withoutCurrent.join(', ')}.`,
  },
  {
    code: 'keys_next_missing',
    level: 'warning',
    why: 'The next rotation would sign with a key that no client has seen yet.',
    mend: 'Start the server once: it makes the next keys, and publishes them before they sign.',
    look: ({ database: { keys } }) => keys !== undefined && keys.withoutNext.length > 0 && `No next key for ${keys.withoutNext.join(', ')}.`,
  },
  {
    code: 'keys_old',
    level: 'warning',
    why: 'The longer a key signs, the more a copy of it is worth, and the less practised its rotation is.',
    mend: 'Run npm run keys:rotate (authy2 keys:rotate).',
    look: ({ database: { keys } }) => (keys?.oldestDays ?? 0) > keyDays && `A signing key is in use for ${Math.floor(keys?.oldestDays ?? 0)} days.`,
  },
  {
    code: 'demo_kept',
    level: 'wrong',
    why: 'Their passwords and secrets stand in the documentation, and one of them administers the system.',
    mend: 'Run npm run demo:remove (authy2 demo:remove).',
    look: ({ settings, database: { kept } }) =>
      settings.isProduction && kept !== undefined && kept.demo.length > 0 && `Demo data is in the database: ${few(kept.demo)}.`,
  },
  {
    code: 'admins_none',
    level: 'warning',
    why: 'Nobody can manage the system over the API.',
    mend: 'Run npm run user:create -- you@example.com --admin (authy2 user:create).',
    look: ({ settings, database: { kept } }) => settings.isProduction && kept?.admins === 0 && 'There is no administrator of the system.',
  },
  {
    code: 'admins_of_one_factor',
    level: 'warning',
    why: 'One stolen password is then all that is needed to rule the system.',
    mend: 'Let them add a passkey or an authenticator app under /account/security, and set MFA_REQUIRED=admins.',
    look: ({ settings, database: { kept } }) =>
      settings.isProduction && (kept?.adminsOfOneFactor ?? 0) > 0 && `Administrators without a second factor: ${kept?.adminsOfOneFactor} of ${kept?.admins}.`,
  },
  {
    code: 'jobs_overdue',
    level: 'wrong',
    why: 'Mails and sign-outs wait in the queue, and nobody does them.',
    mend: 'Start npm run worker (authy2 worker), or set RUN_JOBS=true; look into its log.',
    look: ({ environment, database: { kept } }) => {
      if (kept === undefined || kept.overdueMinutes < overdueMinutes) return undefined
      const left = isLeftToWorkers(environment) ? ', RUN_JOBS is false and no worker takes it' : ''
      return `The oldest job that is due waits for ${Math.floor(kept.overdueMinutes)} minutes${left}.`
    },
  },
  {
    code: 'jobs_untaken',
    level: 'warning',
    why: 'A worker takes a job within seconds: perhaps none runs, and then mails and sign-outs go nowhere.',
    mend: 'Start npm run worker (authy2 worker), or set RUN_JOBS=true.',
    look: ({ environment, database: { kept } }) => {
      const minutes = kept?.overdueMinutes ?? 0
      const isTold = minutes >= overdueMinutes
      return isLeftToWorkers(environment) && minutes >= untakenMinutes && !isTold && `RUN_JOBS is false, and a job waits for ${Math.floor(minutes)} minutes.`
    },
  },
  {
    code: 'jobs_dead',
    level: 'warning',
    why: 'Somebody did not get their mail, or a client was not told of a sign-out.',
    mend: 'Read why at GET /api/v1/jobs?state=dead, mend it, and ask for them again there.',
    look: ({ database: { kept } }) => (kept?.deadJobs ?? 0) > 0 && `Jobs that were given up: ${kept?.deadJobs}.`,
  },
]

// Reads the command line of the benchmark.
import { parseArgs } from 'node:util'
import { type Row, rows } from './rows.ts'

export const subjectNames = ['embedded', 'postgresql', 'redis', 'large'] as const
export type SubjectName = (typeof subjectNames)[number]

export interface Options {
  readonly isQuick: boolean
  readonly rows: readonly Row[]
  readonly isStartMeasured: boolean
  /** Whether docs/performance.md gets what came of it. */
  readonly isWritten: boolean
  readonly isIdleMeasured: boolean
  readonly isSteadinessMeasured: boolean
  /** Besides the engine, which is always measured. */
  readonly subjects: readonly SubjectName[]
}

/** What to say when the command line asks for help or for something unknown. */
export class UsageError extends Error {}

const startUp = 'start-up'
const idle = 'idle'
const steadiness = 'steadiness'
// Filling a large database takes minutes: it is asked for by name.
const usual = subjectNames.filter(name => name !== 'large')

/** Throws a UsageError whose message can be shown. */
export function readOptions(args: readonly string[]): Options {
  const known = [...rows.map(({ name }) => name), steadiness, startUp, idle]
  const values = parsed(args, known)
  const only = (values.only ?? known).flatMap(names => names.split(','))
  const subjects = (values.subject ?? (values.quick ? ['embedded'] : usual)).flatMap(names => names.split(','))
  const unknown = [...only.filter(name => !known.includes(name)), ...subjects.filter(name => name !== 'none' && !isSubjectName(name))]
  if (values.help || unknown.length > 0) throw new UsageError(usage(unknown, known))
  return {
    isQuick: values.quick ?? false,
    rows: rows.filter(({ name }) => only.includes(name)),
    isStartMeasured: only.includes(startUp),
    isWritten: values.write ?? false,
    isIdleMeasured: only.includes(idle),
    isSteadinessMeasured: only.includes(steadiness),
    subjects: subjects.filter(isSubjectName),
  }
}

const parsed = (args: readonly string[], known: readonly string[]) => {
  const options = {
    quick: { type: 'boolean' },
    only: { type: 'string', multiple: true },
    subject: { type: 'string', multiple: true },
    write: { type: 'boolean' },
    help: { type: 'boolean' },
  } as const
  try {
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    if (!(error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))) throw error
    throw new UsageError(usage([error.message], known))
  }
}

const isSubjectName = (name: string): name is SubjectName => subjectNames.some(known => known === name)

const usage = (unknown: readonly string[], known: readonly string[]): string =>
  [
    ...(unknown.length > 0 ? [`Unknown: ${unknown.join(', ')}\n`] : []),
    'npm run bench -- [--quick] [--only row,…] [--subject name,…] [--write]',
    `  rows      ${known.join(', ')}`,
    `  subjects  ${subjectNames.join(', ')}, or none for the engine alone; all but large, and embedded alone when quick`,
    '  large is PostgreSQL (with Redis where there is one) full of users, organizations, clients, events and tokens.',
    '  BENCH_PEER_ISSUER adds another provider that runs already to discovery, jwks, introspection and client-credentials of its algorithm, as the client',
    '  BENCH_PEER_CLIENT_ID with BENCH_PEER_CLIENT_SECRET (client_secret_basic). BENCH_PEER_FORM: what its token requests say besides, such as scope=read;',
    '  BENCH_PEER_USERNAME, BENCH_PEER_PASSWORD and BENCH_PEER_REDIRECT_URI add it to userinfo, refresh, silent-code and password, by forms without scripts;',
    '  BENCH_PEER_PIDS: its processes on this machine (its database too, where ours counts), comma-separated, so that it is counted per core; BENCH_PEER_NAME.',
    '  BENCH_DATABASE_URL or DATABASE_URL adds PostgreSQL, REDIS_URL with it adds PostgreSQL + Redis.',
    '  --write puts the tables into docs/performance.md.',
  ].join('\n')

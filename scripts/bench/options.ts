// Reads the command line of the benchmark.
import { parseArgs } from 'node:util'
import { type Row, rows } from './rows.ts'

export const subjectNames = ['embedded', 'postgresql', 'redis'] as const
export type SubjectName = (typeof subjectNames)[number]

export interface Options {
  readonly isQuick: boolean
  readonly rows: readonly Row[]
  readonly isStartMeasured: boolean
  /** Besides the engine, which is always measured. */
  readonly subjects: readonly SubjectName[]
}

/** What to say when the command line asks for help or for something unknown. */
export class UsageError extends Error {}

const startUp = 'start-up'

/** Throws a UsageError whose message can be shown. */
export function readOptions(args: readonly string[]): Options {
  const known = [...rows.map(({ name }) => name), startUp]
  const values = parsed(args, known)
  const only = (values.only ?? known).flatMap(names => names.split(','))
  const subjects = (values.subject ?? (values.quick ? ['embedded'] : subjectNames)).flatMap(names => names.split(','))
  const unknown = [...only.filter(name => !known.includes(name)), ...subjects.filter(name => name !== 'none' && !isSubjectName(name))]
  if (values.help || unknown.length > 0) throw new UsageError(usage(unknown, known))
  return {
    isQuick: values.quick ?? false,
    rows: rows.filter(({ name }) => only.includes(name)),
    isStartMeasured: only.includes(startUp),
    subjects: subjects.filter(isSubjectName),
  }
}

const parsed = (args: readonly string[], known: readonly string[]) => {
  const options = {
    quick: { type: 'boolean' },
    only: { type: 'string', multiple: true },
    subject: { type: 'string', multiple: true },
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
    'npm run bench -- [--quick] [--only row,…] [--subject name,…]',
    `  rows      ${known.join(', ')}`,
    `  subjects  ${subjectNames.join(', ')}, or none for the engine alone; all, but embedded alone when quick`,
    '  BENCH_DATABASE_URL or DATABASE_URL adds PostgreSQL, REDIS_URL with it adds PostgreSQL + Redis.',
  ].join('\n')

// Writes the results as Markdown tables.

import { hashCost } from './hash.ts'
import type { Idle } from './idle.ts'
import { type Cell, median, percentile } from './measure.ts'
import type { Row } from './rows.ts'
import type { Steadiness } from './steadiness.ts'
import type { RoundTrips } from './subject.ts'

const columns = [
  'Server',
  'per core',
  '÷ engine',
  'wanted',
  '÷ Koa',
  'own process',
  'per second',
  'p50 ms',
  'p99 ms',
  'RSS MB',
  'DB trips',
  'Redis trips',
  'errors',
]

export interface StartTime {
  readonly target: string
  readonly firstSeconds: number
  readonly againSeconds: readonly number[]
}

/** A row's table; the last two cells are Koa alone and the engine, which the others are compared with, round by round. */
export function rowTable({ title, wanted }: Pick<Row, 'title' | 'wanted'>, cells: readonly Cell[]): string {
  const [koa, engine] = cells.slice(-2)
  const lines = cells.map(cell => (cell.failure === undefined ? measured(cell, { engine, koa, wanted }) : `| ${cell.target} | not measured: ${cell.failure} |`))
  const failures = cells.flatMap(({ target, rounds }) => {
    const first = rounds.find(({ load }) => load.firstFailure !== undefined)?.load.firstFailure
    return first === undefined ? [] : [`${target}, first error: ${first}`]
  })
  return [`\n### ${title}\n`, table(columns, lines), ...failures].join('\n')
}

interface Compared {
  readonly engine: Cell | undefined
  readonly koa: Cell | undefined
  readonly wanted: Row['wanted']
}

function measured({ target, rounds }: Cell, { engine, koa, wanted }: Compared): string {
  const latencies = rounds.flatMap(({ load }) => load.latencies)
  const last = rounds.at(-1)
  const ratioTo = (other: Cell | undefined) => median(rounds.map(({ perCore }, index) => perCore / (other?.rounds[index]?.perCore ?? Number.NaN)))
  return line([
    target,
    whole(median(rounds.map(({ perCore }) => perCore))),
    fixed(ratioTo(engine), 2),
    wanted?.[target] === undefined ? '' : `≥ ${wanted[target]}`,
    fixed(ratioTo(koa), 3),
    whole(median(rounds.map(({ perOwnCore }) => perOwnCore))),
    whole(median(rounds.map(({ load }) => load.done / load.seconds))),
    percentile(latencies, 0.5).toFixed(1),
    percentile(latencies, 0.99).toFixed(1),
    last ? memory(last.megabytes) : '',
    ...trips(last?.roundTrips),
    whole(rounds.reduce((total, { load }) => total + load.failed, 0)),
  ])
}

const memory = ({ own, children }: { own: number; children: number }) => (!(children >= 1) ? whole(own) : `${whole(own)} + ${whole(children)}`)

const trips = (told: RoundTrips | undefined) => [told?.database.toFixed(2) ?? '–', told?.redis.toFixed(2) ?? '–']

/** How much slower the slowest answers are where there is much, against the server before it that keeps the same in the same places. */
export function sizeLine(cells: readonly Cell[], largeName: string): string {
  const at = cells.findIndex(({ target }) => target === largeName)
  const [empty, large] = cells.slice(Math.max(at - 1, 0), at + 1)
  if (at < 1 || !empty || !large) return ''
  const slowest = ({ rounds }: Cell) =>
    percentile(
      rounds.flatMap(({ load }) => load.latencies),
      0.99,
    )
  return `\np99 of ${large.target} ÷ ${empty.target}: ${(slowest(large) / slowest(empty)).toFixed(2)}`
}

/** Sign-ins against what hashing alone allows, in hashes a CPU second: by itself, and with the settings that all servers are started with. */
export function hashTable(cells: readonly Cell[], { plain, asStarted }: { plain: number; asStarted: number }): string {
  const lines = cells.map(({ target, rounds }) => {
    const perCore = median(rounds.map(round => round.perCore))
    return line([target, ...[plain, asStarted].map(hashes => (perCore / hashes).toFixed(2))])
  })
  const told = `argon2id alone (${hashCost}): ${plain.toFixed(1)} a CPU second by itself, ${asStarted.toFixed(1)} with the settings that all these are started with`
  return `\n${told}\n\n${table(['Server', 'sign-ins ÷ hashes', '÷ hashes so set'], lines)}`
}

/** The delays, with what is wanted of them. */
export function steadinessTable(all: readonly Steadiness[]): string {
  const names = [
    'Server',
    'tokens a second',
    'p50 ms',
    'p99 ms',
    'p99 ÷ p50 (wanted ≤ 10)',
    'p50 ms calm',
    'p50 ms beside',
    '÷ calm (wanted ≤ 4)',
    'sign-ins a second',
    'errors',
  ]
  const lines = all.map(({ target, perSecond, p50, p99, calmP50, besideP50, signInsPerSecond, failed }) =>
    line([
      target,
      whole(perSecond),
      p50.toFixed(1),
      p99.toFixed(1),
      fixed(p99 / p50, 1),
      calmP50.toFixed(1),
      besideP50.toFixed(1),
      fixed(besideP50 / calmP50, 1),
      signInsPerSecond.toFixed(1),
      whole(failed),
    ]),
  )
  return `\n### Steadiness: client credentials at 70 % of the most, and 100 a second beside sign-ins that take half of the hashes\n\n${table(names, lines)}`
}

export function startTable(times: readonly StartTime[]): string {
  const lines = times.map(({ target, firstSeconds, againSeconds }) => line([target, firstSeconds.toFixed(2), median(againSeconds).toFixed(2)]))
  return `\n### Start-up\n\n${table(['Server', 'first start, s', 'later start, s'], lines)}`
}

export function idleTable(idle: readonly Idle[]): string {
  if (idle.length === 0) return '\n### Idle\n\nNot measured: production needs PostgreSQL and Redis.'
  const lines = idle.map(({ target, startSeconds, startCpuSeconds, resident, proportional, anonymous }) =>
    line([target, median(startSeconds).toFixed(2), median(startCpuSeconds).toFixed(2), ...[resident, proportional, anonymous].map(all => whole(median(all)))]),
  )
  return `\n### Idle: one process in production, from dist\n\n${table(['Server', 'start, s', 'start, CPU s', 'RSS MB', 'PSS MB', 'in no file MB'], lines)}`
}

const table = (names: readonly string[], lines: readonly string[]) => [line(names), `|${' --- |'.repeat(names.length)}`, ...lines].join('\n')

const line = (values: readonly string[]) => `| ${values.join(' | ')} |`

const fixed = (value: number, digits: number) => (Number.isFinite(value) ? value.toFixed(digits) : '–')

const whole = (value: number) => (Number.isFinite(value) ? Math.round(value).toLocaleString('en') : '–')

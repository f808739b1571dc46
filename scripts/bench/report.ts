// Writes the results as Markdown tables.
import { type Cell, median, percentile } from './measure.ts'
import type { RoundTrips } from './subject.ts'

const columns = ['Server', 'per core', '÷ engine', 'own process', 'per second', 'p50 ms', 'p99 ms', 'RSS MB', 'DB trips', 'Redis trips', 'errors']

export interface StartTime {
  readonly target: string
  readonly firstSeconds: number
  readonly againSeconds: readonly number[]
}

/** A row's table; the last cell is the engine that the others are compared with, round by round. */
export function rowTable(title: string, cells: readonly Cell[]): string {
  const engine = cells.at(-1)
  const lines = cells.map(cell => (cell.failure === undefined ? measured(cell, engine) : `| ${cell.target} | not measured: ${cell.failure} |`))
  const failures = cells.flatMap(({ target, rounds }) => {
    const first = rounds.find(({ load }) => load.firstFailure !== undefined)?.load.firstFailure
    return first === undefined ? [] : [`${target}, first error: ${first}`]
  })
  return [`\n### ${title}\n`, table(columns, lines), ...failures].join('\n')
}

function measured({ target, rounds }: Cell, engine: Cell | undefined): string {
  const latencies = rounds.flatMap(({ load }) => load.latencies)
  const last = rounds.at(-1)
  const ratios = rounds.map(({ perCore }, index) => perCore / (engine?.rounds[index]?.perCore ?? Number.NaN))
  return line([
    target,
    whole(median(rounds.map(({ perCore }) => perCore))),
    median(ratios).toFixed(2),
    whole(median(rounds.map(({ perOwnCore }) => perOwnCore))),
    whole(median(rounds.map(({ load }) => load.done / load.seconds))),
    percentile(latencies, 0.5).toFixed(1),
    percentile(latencies, 0.99).toFixed(1),
    last ? memory(last.megabytes) : '',
    ...trips(last?.roundTrips),
    whole(rounds.reduce((total, { load }) => total + load.failed, 0)),
  ])
}

const memory = ({ own, children }: { own: number; children: number }) => (children < 1 ? whole(own) : `${whole(own)} + ${whole(children)}`)

const trips = (told: RoundTrips | undefined) => [told?.database.toFixed(2) ?? '–', told?.redis.toFixed(2) ?? '–']

/** Sign-ins against what hashing alone allows. */
export function hashTable(cells: readonly Cell[], { perCore, parameters }: { perCore: number; parameters: string }): string {
  const lines = cells.map(({ target, rounds }) => line([target, (median(rounds.map(round => round.perCore)) / perCore).toFixed(2)]))
  return `\nargon2id alone (${parameters}): ${perCore.toFixed(1)} a CPU second\n\n${table(['Server', 'sign-ins ÷ hashes'], lines)}`
}

export function startTable(times: readonly StartTime[]): string {
  const lines = times.map(({ target, firstSeconds, againSeconds }) => line([target, firstSeconds.toFixed(2), median(againSeconds).toFixed(2)]))
  return `\n### Start-up\n\n${table(['Server', 'first start, s', 'later start, s'], lines)}`
}

const table = (names: readonly string[], lines: readonly string[]) => [line(names), `|${' --- |'.repeat(names.length)}`, ...lines].join('\n')

const line = (values: readonly string[]) => `| ${values.join(' | ')} |`

const whole = (value: number) => (Number.isFinite(value) ? Math.round(value).toLocaleString('en') : '–')

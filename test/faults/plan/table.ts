// The table that is made of what came of rows.
import { putBetween } from '../../../scripts/marked.ts'
import type { Kept, Results } from './results.ts'
import type { Row, RowResult } from './row.ts'

/** The table in Markdown, of one state of the sources: a row that was not run on it is told as such. */
export function table(rows: readonly Pick<Row, 'name' | 'fault' | 'done'>[], results: Results): string {
  const found = rows.map(row => ({ row, kept: results.find(row) }))
  const lines = found.map(({ row, kept }) =>
    line(kept ? [row.fault, row.done, ...cells(kept.result)] : [row.fault, row.done, 'not run', '', '', '', '', '', '']),
  )
  const head = ['fault', 'what was done', 'requests', 'failed', 'again failed', 'lost', 'recovery', 'slowest', 'seen']
  const ground = groundOf(found.flatMap(({ kept }) => kept ?? []))
  return [ground, '', line(head), line(head.map((_, at) => (at > 1 && at < 8 ? '---:' : '---'))), ...lines].join('\n')
}

/** Puts the table into docs/reliability.md. */
export const write = (made: string): void => putBetween('faults', 'reliability.md', made)

const groundOf = (kept: readonly Kept[]): string => {
  const last = kept.toSorted((a, b) => a.at.localeCompare(b.at)).at(-1)
  if (!last) return 'Nothing was run on these sources.'
  const commit = last.commit === undefined ? '' : `, commit ${last.commit}`
  return `Run until ${last.at.slice(0, 16).replace('T', ' ')} UTC on the sources ${last.sources}${commit}.`
}

const cells = (result: RowResult): string[] => [
  String(result.requests),
  String(result.failures),
  String(result.failuresAgain),
  `${result.lost} of ${result.looked}`,
  `${result.recoverySeconds.toFixed(1)} s`,
  `${result.slowestSeconds.toFixed(1)} s`,
  [result.seen, ...result.broken.map(claim => `**did not hold: ${claim}**`)].filter(Boolean).join('; '),
]

const line = (columns: readonly string[]): string => `| ${columns.map(one => one.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`

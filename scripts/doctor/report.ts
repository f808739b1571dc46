// Tells what was found: to people in lines, to programs in JSON.
import type { Finding } from './check.ts'
import type { DatabaseFacts } from './facts.ts'

/** What there is to tell. */
export interface Report {
  readonly findings: readonly Finding[]
  /** What could not be looked at, a sentence each. */
  readonly unexamined: readonly string[]
}

/** What of the database could not be looked at. */
export const unexamined = ({ isClosed, sealed }: DatabaseFacts): string[] => [
  ...(isClosed ? ['The embedded database is closed and was not looked into: start the server first.'] : []),
  ...(sealed?.areLastingOpened && sealed.older === undefined
    ? ['What is still sealed under an older SECRET_KEY could not be counted in time: npm run secrets:reseal -- --count tells it.']
    : []),
]

/** For people. */
export const asText = ({ findings, unexamined }: Report): string => {
  const blocks = findings.map(
    ({ code, level, what, why, mend }) => `${level.padEnd(8)}${what}\n        Why   ${why}\n        Mend  ${mend}\n        (${code})\n`,
  )
  const notes = unexamined.map(sentence => `note    ${sentence}\n`)
  return [...blocks, ...notes, summary(findings)].join('\n')
}

/** For programs. */
export const asJson = ({ findings, unexamined }: Report): string => {
  const of = (level: Finding['level']) => findings.filter(one => one.level === level).map(({ level: _, ...finding }) => finding)
  return JSON.stringify({ is_well: of('wrong').length === 0, wrong: of('wrong'), warnings: of('warning'), unexamined }, null, 2)
}

const summary = (findings: readonly Finding[]): string => {
  const wrong = findings.filter(({ level }) => level === 'wrong').length
  const warnings = findings.length - wrong
  if (findings.length === 0) return 'All is well.'
  return `${wrong} wrong, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}.`
}

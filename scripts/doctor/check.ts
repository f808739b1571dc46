// What a check is, and what it finds.
import type { Facts } from './facts.ts'

/** One thing that may be wrong. */
export interface Check {
  readonly code: string
  readonly level: 'wrong' | 'warning'
  /** The settings that it judges: what the server itself says of them need not be told twice. */
  readonly settings?: readonly string[]
  readonly why: string
  /** What to do, in a line. */
  readonly mend: string
  /** Says in a sentence what is wrong, or nothing. */
  readonly look: (facts: Facts) => string | undefined | false
}

/** What a check found. */
export interface Finding {
  readonly code: string
  readonly level: 'wrong' | 'warning'
  readonly what: string
  readonly why: string
  readonly mend: string
}

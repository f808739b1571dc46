// What a schema found wrong, field by field.
import type { z } from 'zod'

/** One fault, and where it is. */
export interface Fault {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

/** Unknown keys one by one; of alternatives the faults of the one that comes nearest to what was given. */
export const faultsOf = (issues: readonly z.core.$ZodIssue[]): readonly Fault[] =>
  issues.flatMap(issue => {
    const { path, message } = issue
    if (issue.code === 'unrecognized_keys') return issue.keys.map(key => ({ path: [...path, key], message: 'is not known here' }))
    if (issue.code !== 'invalid_union') return [{ path, message }]
    const [nearest = []] = issue.errors.map(faultsOf).toSorted((a, b) => a.length - b.length)
    return nearest.length > 0 ? nearest.map(fault => ({ ...fault, path: [...path, ...fault.path] })) : [{ path, message }]
  })

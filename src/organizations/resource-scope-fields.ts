// The scopes of resource servers that a role holds, as the API takes and gives them: by resource server.
import { z } from 'zod'
import { resourceScopeOf } from './role.ts'

const token = (maxLength: number) =>
  z
    .string()
    .min(1)
    .max(maxLength)
    .regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces')

/** The field. */
export const resourceScopesField = z.array(z.strictObject({ resource: token(1000), scopes: z.array(token(200)).max(200) })).max(100)

type Grouped = z.output<typeof resourceScopesField>

/** As roles keep them: each `identifier scope`. */
export const toPairs = (grouped: Grouped): string[] => [...new Set(grouped.flatMap(({ resource, scopes }) => scopes.map(scope => `${resource} ${scope}`)))]

/** As the API tells them. */
export const toGrouped = (pairs: readonly string[]): Grouped =>
  [...Map.groupBy(pairs.map(resourceScopeOf), ({ resource }) => resource)].map(([resource, group]) => ({ resource, scopes: group.map(({ scope }) => scope) }))

// Tells the audit log of writes that were refused: who wanted what, and why not.
import { z } from 'zod'
import { organizationIdSchema } from '../organizations/organization.ts'
import type { Organizations } from '../organizations/organizations.ts'
import { type Change, event } from '../platform/data/change.ts'
import { Problem } from '../platform/errors.ts'
import type { Manners } from '../platform/http/mount.ts'

type OnRefused = NonNullable<Manners['onRefused']>

/** The event of it. */
export const refusalEvents = { 'request.refused': event('request', { operation: z.string(), code: z.string() }) }

/** Makes the recording; the event belongs to the organization that the route is within, where there is one. */
export const createRecordRefusals =
  ({ change, organizations }: { change: Change; organizations: Pick<Organizations, 'get'> }): OnRefused =>
  async ({ actor, route: { method, path, within }, params, problem }) => {
    const organizationId = within === 'organization' ? await existing(organizations, params.id) : undefined
    const told = { operation: `${method} ${path}`, code: problem.code }
    await change(actor, async (_tx, record) => record('request.refused', told, { outcome: 'refused', organizationId }))
  }

const existing = async (organizations: Pick<Organizations, 'get'>, given: string | undefined) => {
  const id = organizationIdSchema.safeParse(given).data
  if (id === undefined) return undefined
  try {
    return (await organizations.get(id)).id
  } catch (error) {
    if (error instanceof Problem) return undefined // it is gone: the event is the system's
    throw error
  }
}

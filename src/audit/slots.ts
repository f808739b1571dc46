// How many may do something dear at one time in this process: each organization once, all of them so often, and the system beside them.
import { Problem } from '../platform/errors.ts'

/** The slots. */
export interface Slots {
  /** Takes one for an organization, or for the system. Answers what gives it back; throws `busy` where there is none. */
  take(organizationId: string | undefined): () => void
}

/** Makes them. */
export const createSlots = ({ organizations, system }: { organizations: number; system: number }): Slots => {
  const taken = new Set<string>()
  let ofSystem = 0
  const takeOfSystem = () => {
    if (ofSystem >= system) throw busy()
    ofSystem += 1
    return () => {
      ofSystem -= 1
    }
  }
  return {
    take: organizationId => {
      if (organizationId === undefined) return takeOfSystem()
      if (taken.has(organizationId) || taken.size >= organizations) throw busy()
      taken.add(organizationId)
      return () => taken.delete(organizationId)
    },
  }
}

const busy = () => new Problem('busy', { retryAfterSeconds: 10 })

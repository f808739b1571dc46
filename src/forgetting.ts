// Forgets for good what was deleted 30 days ago: clients and organizations before the people in them.
import { systemActor } from './platform/actor.ts'
import { PurgeError } from './platform/data/purge-each.ts'
import type { Resources } from './resources.ts'
import type { Services } from './services.ts'

const batch = 100

/** What it is done by, in order. */
export const forgetful = ['connectionAdministration', 'clientAdministration', 'resourceServerAdministration', 'organizations', 'userAdministration'] as const

type Forgetful = { readonly [Name in (typeof forgetful)[number]]: Pick<Services[Name], 'purge'> }

/**
 * Makes what forgets all that is due. What fails holds up nothing else, and is told at the end by an AggregateError; whatever failed the last
 * time too is logged as an error, by its id, for somebody has to see to it.
 */
export const createForget = ({ log }: { readonly log: Pick<Resources['log'], 'error'> }, services: Forgetful): (() => Promise<void>) => {
  let failedBefore = new Set<string>()
  return async () => {
    const failures: unknown[] = []
    for (const name of forgetful) {
      try {
        await services[name].purge(systemActor, batch)
      } catch (error) {
        failures.push(...(error instanceof AggregateError ? error.errors : [error]))
      }
    }
    const unpurged = failures.filter(failure => failure instanceof PurgeError)
    for (const error of unpurged) if (failedBefore.has(error.id)) log.error({ err: error, id: error.id }, 'what was deleted long ago cannot be forgotten')
    failedBefore = new Set(unpurged.map(({ id }) => id))
    if (failures.length > 0) throw new AggregateError(failures, 'not all that was deleted long ago could be forgotten')
  }
}

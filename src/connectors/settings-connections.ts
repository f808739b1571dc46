// Connections that the environment configures: a row each, so that people and domains can refer to it, with nothing of the settings in it.
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import { Problem } from '../platform/errors.ts'
import type { Connectors } from './list.ts'

/** An upstream provider as the environment configures it, under the names of its connector. */
interface ConfiguredProvider {
  readonly settings: Readonly<Record<string, unknown>>
  readonly secrets: Readonly<Record<string, unknown>>
}

/** By the id of the connector. */
export type ConfiguredProviders = Readonly<Record<string, ConfiguredProvider>>

/** What the rows of the environment need. */
export interface SettingsConnections {
  /** Makes the rows that are missing, however many processes start at once. */
  ensure(actor: Actor): Promise<void>
}

interface Needs {
  readonly change: Change
  readonly connectors: Connectors
  readonly providers: ConfiguredProviders
}

/** Makes the service. */
export const createSettingsConnections = ({ change, connectors, providers }: Needs): SettingsConnections => {
  const insert = (actor: Actor, { id: connector, name }: { readonly id: string; readonly name: string }) =>
    change(actor, async (tx, record) => {
      const [row] = await tx.connection.createManyAndReturn({ data: [{ connector, name, origin: 'settings' }], skipDuplicates: true })
      if (!row) throw new Problem('conflict') // it is there: nothing is changed, and nothing told
      record('connection.created', row)
    })
  return {
    ensure: async actor => {
      for (const name of Object.keys(providers)) {
        const connector = connectors.get(name)
        if (connector) await insert(actor, connector).catch(passOver)
      }
    },
  }
}

const passOver = (error: unknown) => {
  if (!(error instanceof Problem && error.code === 'conflict')) throw error
}

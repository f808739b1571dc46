// A connection's row as its connector sees it: its settings parsed, its secrets opened, from the row or from the environment.
import type { Secrets } from '../platform/secrets.ts'
import type { Configured, Connector } from './connector.ts'
import type { Connectors } from './list.ts'
import type { ConfiguredProviders } from './settings-connections.ts'

/** What of a row it is made of. */
export interface ConfiguredRow {
  readonly id: string
  readonly connector: string
  readonly origin: string
  readonly settings: unknown
  readonly secrets: string | null
}

/** A row opened; `undefined` where its kind is not known, or the environment does not configure it (any more). */
export type OpenRow = (row: ConfiguredRow) => { readonly connector: Connector; readonly configured: Configured } | undefined

interface Needs {
  readonly secrets: Secrets
  readonly connectors: Connectors
  readonly providers: ConfiguredProviders
  readonly issuer: string
}

/** Where the secrets of a connection are sealed to. */
export const sealContext = (connectionId: string): string => `connections.secrets:${connectionId}`

/** Where its provider answers, and what we are called to it. */
export const addressesOf = (issuer: string, connectionId: string) => ({
  callbackUrl: `${issuer}/connections/${connectionId}/callback`,
  entityId: `${issuer}/connections/${connectionId}/metadata`,
})

/** Makes the opener. */
export const createOpenRow =
  ({ secrets, connectors, providers, issuer }: Needs): OpenRow =>
  row => {
    const connector = connectors.get(row.connector)
    const given = row.origin === 'settings' ? providers[row.connector] : { settings: row.settings, secrets: openSecrets(secrets, row) }
    if (!connector || !given) return undefined
    const settings = connector.settings.safeParse(given.settings)
    const opened = connector.secrets.safeParse(given.secrets)
    if (!settings.success || !opened.success) return undefined
    return { connector, configured: { connectionId: row.id, settings: settings.data, secrets: opened.data, ...addressesOf(issuer, row.id) } }
  }

// By their names; none where it has none.
const openSecrets = (secrets: Secrets, { id, secrets: sealed }: Pick<ConfiguredRow, 'id' | 'secrets'>): unknown =>
  sealed === null ? {} : JSON.parse(secrets.unseal('connection', sealed, sealContext(id)))

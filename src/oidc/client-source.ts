// Whose word a client of the engine is, kept beside it.
import type { Client } from 'oidc-provider'
import type { ClientSource } from '../clients/client.ts'
import { type ShownNames, shownNames } from '../clients/shown-names.ts'

const sources = new WeakMap<object, ClientSource>()

/** Notes it when the client is constructed. */
export const noteSource = (client: Client, source: ClientSource): void => {
  sources.set(client, source)
}

/** What people are told that the client is called. */
export const namesOf = (client: Client): ShownNames =>
  shownNames({ clientId: client.clientId, name: client.clientName, source: sources.get(client) ?? 'operator' })

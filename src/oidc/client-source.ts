// Whose word a client of the engine is, kept beside it.
import type { Client } from 'oidc-provider'
import type { Registration } from '../clients/client.ts'
import { type ShownNames, shownNames } from '../clients/shown-names.ts'

type Source = Pick<Registration, 'source' | 'isBuiltIn'>

const sources = new WeakMap<object, Source>()

/** Notes it when the client is constructed. */
export const noteSource = (client: Client, { source, isBuiltIn }: Source): void => {
  sources.set(client, { source, isBuiltIn })
}

/** Whether it is a part of the system itself. */
export const isBuiltIn = (client: Client): boolean => sources.get(client)?.isBuiltIn ?? false

/**
 * Has the engine refuse changes by registration (RFC 7592 §2.1) to a client that is trusted with what people did not allow it: what it is,
 * and where its answers go, is an administrator's to say by then.
 */
export const keepFromDeveloper = (client: Client, { isFirstParty, tokenExchange }: Registration): void => {
  // The engine's client is the same while its metadata are.
  Object.defineProperty(client, 'noManage', { value: isFirstParty || tokenExchange !== undefined, configurable: true })
}

/** What people are told that the client is called. */
export const namesOf = (client: Client): ShownNames =>
  shownNames({ clientId: client.clientId, name: client.clientName, source: sources.get(client)?.source ?? 'operator' })

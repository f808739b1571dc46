// When the engine asks for a client whose identifier is an address, its document is read first, where that is due.
import Provider, { errors } from 'oidc-provider'
import type { ClientMetadata } from '../clients/client.ts'
import { documentAddress } from '../clients/document-address.ts'
import type { DocumentClients } from '../clients/document-clients.ts'
import { DocumentRefused } from '../clients/document-rules.ts'
import { DocumentUnreachable } from '../clients/fetch-document.ts'
import type { IsReservedName } from '../clients/reserved-names.ts'
import { actorOf } from './actor.ts'
import { orTooOften } from './problems.ts'

/**
 * Reads it, and answers nothing at once where there is nothing to read. Throws `invalid_client`, saying what is wrong with the document, and 429
 * for who leads us to too many.
 */
export type LookUpDocument = (provider: Provider, clientId: unknown) => Promise<void> | undefined

interface Needs {
  readonly documentClients: DocumentClients
  readonly isReservedName: IsReservedName
}

// Where a client is met for the first time, and where one that was met before is looked at again.
const first = new Set(['authorization', 'pushed_authorization_request'])
const again = new Set([...first, 'token'])

/** Makes it. Elsewhere clients are what they were when last read. */
export const createLookUpDocument = ({ documentClients, isReservedName }: Needs): LookUpDocument => {
  const lookUp = async (provider: Provider, clientId: string, route: string) => {
    const check = (metadata: ClientMetadata) => {
      // The host by which people are told of it is certain.
      const { client_name: name } = metadata
      if (name !== URL.parse(clientId)?.host && isReservedName(String(name))) throw new DocumentRefused('client_name must not be that of this service')
      try {
        Reflect.construct(provider.Client, [metadata])
      } catch (cause) {
        if (!(cause instanceof errors.InvalidClientMetadata || cause instanceof errors.InvalidRedirectUri)) throw cause
        throw new DocumentRefused(cause.error_description ?? cause.message, { cause })
      }
    }
    try {
      await documentClients.refresh(clientId, { actor: actorOf(), isNewTaken: first.has(route), check })
    } catch (error) {
      throw translated(error)
    }
  }
  return (provider, clientId) => {
    const route = Provider.ctx?.oidc?.route ?? ''
    return typeof clientId === 'string' && documentAddress(clientId) && again.has(route) ? lookUp(provider, clientId, route) : undefined
  }
}

// Why a server did not answer is not told: nobody looks around through us. Nor is it an outage of ours, though its cause looks like one.
const translated = (error: unknown): unknown => {
  if (error instanceof DocumentUnreachable) return new errors.InvalidClient('client metadata document: could not be read', { cause: error })
  if (error instanceof DocumentRefused) return new errors.InvalidClient(`client metadata document: ${error.message}`, { cause: error })
  return orTooOften(error)
}

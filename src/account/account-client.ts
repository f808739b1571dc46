// The account centre as a client of its own issuer: known without a row, so that nobody can change or delete it.
import type { Registration } from '../clients/client.ts'
import type { Clients } from '../clients/clients.ts'

/** Its client identifier. */
export const accountClientId = 'authy2-account'

/** Where the authorization comes back to. */
export const accountCallbackPath = '/account/callback'

/** Adds the account centre to the clients. */
export const withAccountClient = (clients: Clients, issuer: string): Clients => {
  // One object, for it does not change.
  const registration: Registration = {
    clientId: accountClientId,
    version: 1,
    source: 'operator',
    isFirstParty: true,
    isPkceRequired: true,
    refreshGraceSeconds: 0,
    apiPermissions: [],
    branding: {},
    isMembersOnly: false,
    isAgent: false,
    isBuiltIn: true,
    metadata: {
      client_id: accountClientId,
      application_type: 'web',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code'],
      response_types: ['code'],
      redirect_uris: [`${issuer}${accountCallbackPath}`],
    },
    secrets: [],
  }
  return { ...clients, find: clientId => (clientId === accountClientId ? Promise.resolve(registration) : clients.find(clientId)) }
}

// What a client asks the authorization endpoint for at once: a code, an ID token, or both (OpenID Connect Core §3). Never an access token: what comes by
// the address is seen by more than the client (RFC 9700 §2.1.2).
import type { ClientMetadata } from './client.ts'

/** All that an operator may switch on; `code` always is. */
export const responseTypes = ['code', 'id_token', 'code id_token'] as const
export type ResponseType = (typeof responseTypes)[number]

/** RFC 6749 §4.2, as OpenID Connect Core §3.2 has it. */
export const implicitGrantType = 'implicit'

/** What a client with these grant types asks for where nothing is said of it. */
export const responseTypesOf = (grantTypes: readonly string[]): string[] => (grantTypes.includes('authorization_code') ? ['code'] : [])

/** How the response types and the grant types of a client do not go together (RFC 7591 §2.1). */
export const responseTypeFault = (metadata: ClientMetadata): { readonly path: string; readonly message: string } | undefined => {
  const [types, grants] = [wordsOf(metadata.response_types), new Set([metadata.grant_types ?? []].flat())]
  if (types.has('id_token') !== grants.has(implicitGrantType)) {
    const path = types.has('id_token') ? 'grant_types' : 'response_types'
    return { path, message: `the grant type ${implicitGrantType} and response types with id_token go together` }
  }
  if (types.has('code') && !grants.has('authorization_code'))
    return { path: 'grant_types', message: 'must contain authorization_code for response types with code' }
  return undefined
}

const wordsOf = (types: unknown): ReadonlySet<string> => new Set([types ?? []].flat().flatMap(type => String(type).split(' ')))

/** The metadata without the response types that are switched off: a client that was registered for one goes on without. */
export const withoutOthers = (metadata: ClientMetadata, on: readonly string[]): ClientMetadata => {
  const types = [metadata.response_types ?? []].flat().filter(type => on.includes(String(type)))
  const grants = [metadata.grant_types ?? []].flat().filter(type => type !== implicitGrantType || wordsOf(types).has('id_token'))
  return { ...metadata, response_types: types, grant_types: grants }
}

// What a service's own token may do: what the client asked for of a resource; an answer says what it gives, or there is none.
import Provider, { type ClientCredentials, errors } from 'oidc-provider'
import type { ExtendEngine } from './provider.ts'

/**
 * Holds the engine's tokens of client credentials to it. A token without a resource is for nobody's API: the engine would let the client write
 * any scope into it, and whoever introspects the token would believe it. Where nothing remains of the scope that was asked for, the answer
 * could not say so (RFC 6749 §3.3, §5.1), so that it is `invalid_scope`; what asks for no scope gets a token without one.
 */
export const narrowOwnTokens: ExtendEngine = provider => {
  const save = provider.ClientCredentials.prototype.save
  const saveNarrow = async function (this: ClientCredentials) {
    if (this.aud === undefined) this.scope = undefined
    mustBeAnswerable(this)
    return save.call(this)
  }
  Object.assign(provider.ClientCredentials.prototype, { save: saveNarrow })
}

// Asked before the token is kept, and before an assertion is used up for it.
const mustBeAnswerable = ({ scope, rar }: Pick<ClientCredentials, 'scope' | 'rar'>): void => {
  const { params, body, route } = Provider.ctx?.oidc ?? {}
  if (route !== 'token' || params?.grant_type !== 'client_credentials') return
  if (body?.organization) throw new errors.InvalidRequest('tokens of a client for itself are for no organization that it names')
  if (params.scope !== undefined && scope === undefined && rar === undefined)
    throw new errors.InvalidScope('none of the requested scopes is of a requested resource', String(body?.scope ?? ''))
}

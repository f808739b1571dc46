// Refuses a request for nothing at once; the engine would ask the person to sign in, and then say that they denied it, or give an empty scope.
//
// Decided: what is not known is passed over (OpenID Connect Core §3.1.2.1, RFC 6749 §3.3) for as long as something remains that is. A client
// that asks of its resources only what none of them has is refused (RFC 8707 §2.1); one that asks nothing of them, but for OpenID Connect, gets that.
import { errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider'
import type { ResourceServers } from '../clients/resource-servers.ts'

const { Check } = interactionPolicy

/** A check that throws `invalid_scope` for a request without any known scope (RFC 6749 §3.3), unless it says in detail what it is for (RFC 9396). */
export const scopeMissing = () =>
  new Check('scope_missing', 'a known scope must be requested', ({ oidc }) => {
    if (oidc.params?.response_type !== undefined && !isAsked(oidc)) throw nothingAsked()
    return Check.NO_NEED_TO_PROMPT
  })

const elsewhere = new Set(['device_authorization', 'pushed_authorization_request'])

/**
 * Throws it at once where a request is made that a person answers later (RFC 8628 §3.2, RFC 9126 §2.3). The engine asks it of
 * each such request, after its resources are known.
 */
export const verifyAskedElsewhere = ({ oidc }: KoaContextWithOIDC): void => {
  if (elsewhere.has(oidc.route) && !isAsked(oidc)) throw nothingAsked()
}

const nothingAsked = () => new errors.CustomOIDCProviderError('invalid_scope', 'a known scope must be requested')

const isAsked = ({ params, requestParamScopes, requestParamOIDCScopes, resourceServers }: KoaContextWithOIDC['oidc']): boolean => {
  const isOfResource = Object.values(resourceServers ?? {}).some(server => [...requestParamScopes].some(scope => server.scopes.has(scope)))
  return requestParamOIDCScopes.size > 0 || isOfResource || params?.authorization_details !== undefined
}

/**
 * Throws `invalid_scope` where none of the resources that a request names has a scope that it asks for beyond those of OpenID Connect. To be asked
 * for each resource in turn, with the scopes that the client may have of it: the last one decides.
 */
export const verifyOfResources = ({ oidc }: KoaContextWithOIDC, { indicator, scopes }: { indicator: string; scopes: readonly string[] }): void => {
  const { params, resourceServers = {} } = oidc
  // What is asked of a token that there is, is another's to verify: `verifyOfRefreshed`, and the exchange by itself.
  if (oidc.route === 'token' && params?.grant_type !== 'client_credentials') return
  const others = [params?.resource ?? []].flat().filter(one => one !== indicator)
  const known = Object.entries(resourceServers).filter(([one]) => others.includes(one))
  if (others.every(one => known.some(([name]) => name === one))) mustRemain(oidc, [...scopes, ...known.flatMap(([, server]) => [...server.scopes])])
}

/** Throws it where a refresh token is to give a narrower scope that its resource has nothing of (RFC 6749 §6); before the token is used up. */
export const verifyOfRefreshed = async ({ oidc }: KoaContextWithOIDC, resourceServers: Pick<ResourceServers, 'find'>): Promise<void> => {
  const { params, entities } = oidc
  if (params?.scope === undefined || entities.RefreshToken?.rar !== undefined) return
  const [indicator, ...others] = [params.resource ?? entities.RefreshToken?.resource ?? []].flat()
  const server = others.length === 0 ? await resourceServers.find(String(indicator)) : undefined
  if (server) mustRemain(oidc, server.scopes)
}

const mustRemain = ({ params, requestParamScopes, requestParamOIDCScopes }: KoaContextWithOIDC['oidc'], scopes: readonly string[]) => {
  if (params?.authorization_details !== undefined) return
  const asked = [...requestParamScopes].filter(scope => !requestParamOIDCScopes.has(scope))
  if (asked.length === 0 || asked.some(scope => scopes.includes(scope))) return
  throw new errors.InvalidScope('none of the requested scopes is of the requested resource, or this client may not ask for them', asked.join(' '))
}

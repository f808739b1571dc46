// Refuses a request for nothing at once; the engine would ask the person to sign in, and then say that they denied it.
import { errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider'

const { Check } = interactionPolicy

/** A check that throws `invalid_scope` for a request without any known scope (RFC 6749 §3.3), unless it says in detail what it is for (RFC 9396). */
export const scopeMissing = () =>
  new Check('scope_missing', 'a known scope must be requested', ({ oidc }) => {
    if (oidc.params?.response_type !== undefined && !isAsked(oidc)) throw new errors.CustomOIDCProviderError('invalid_scope', 'a known scope must be requested')
    return Check.NO_NEED_TO_PROMPT
  })

const isAsked = ({ params, requestParamScopes, requestParamOIDCScopes, resourceServers }: KoaContextWithOIDC['oidc']): boolean => {
  const isOfResource = Object.values(resourceServers ?? {}).some(server => [...requestParamScopes].some(scope => server.scopes.has(scope)))
  return requestParamOIDCScopes.size > 0 || isOfResource || params?.authorization_details !== undefined
}

// What the engine's metadata leave out of the truth, or tell that is not so here.
import type Provider from 'oidc-provider'
import { at, discoveryPaths, type EngineStep } from './paths.ts'

/** Puts it right in the engine's discovery documents. */
export const tellMetadata = (provider: Provider): void => {
  const tell: EngineStep = async (ctx, next) => {
    await next()
    const { body } = ctx
    if (ctx.oidc?.route !== 'discovery' || typeof body !== 'object' || body === null || !('token_endpoint_auth_methods_supported' in body)) return
    const { token_endpoint_auth_methods_supported: methods, ...told } = body
    const algorithms = 'token_endpoint_auth_signing_alg_values_supported' in told ? told.token_endpoint_auth_signing_alg_values_supported : undefined
    Object.assign(body, {
      // RFC 8414 §2: where nothing is said, clients take revocation for `client_secret_basic` alone.
      // RFC 7662 §2.1: nobody asks there by a name alone.
      introspection_endpoint_auth_methods_supported: Array.isArray(methods) ? methods.filter(method => method !== 'none') : methods,
      introspection_endpoint_auth_signing_alg_values_supported: algorithms,
      revocation_endpoint_auth_methods_supported: methods,
      revocation_endpoint_auth_signing_alg_values_supported: algorithms,
      // CIBA Core §4: the engine always says that there are user codes; nobody has one here.
      backchannel_user_code_parameter_supported: false,
    })
  }
  provider.use(at(discoveryPaths, tell))
}

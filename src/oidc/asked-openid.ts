// What of a request is OpenID Connect's alone: of what the engine takes for that, `acr_values` and `max_age` are OAuth's too (RFC 9470 §5).
import type { KoaContextWithOIDC } from 'oidc-provider'
import stepsOf from 'oidc-provider/lib/actions/authorization/index.js'
import { checkOpenidScope } from 'oidc-provider/lib/actions/authorization/scopes.js'

const routes = ['authorization', 'pushed_authorization_request', 'device_authorization'] as const

/**
 * Has the engine's check see neither, nor what a client's registration says for them. Its steps are the same for all engines of a process, and are
 * taken over when one is made: call before. Throws where the engine has no such check any more.
 */
export const letStepUpBeOAuth = (): void => {
  for (const route of routes) {
    const steps = stepsOf(route)
    if (steps.includes(checkOthers)) continue
    const at = steps.indexOf(checkOpenidScope)
    if (at < 0) throw new Error(`the engine checks nothing for openid at ${route}`)
    steps[at] = checkOthers
  }
}

const checkOthers = ({ oidc: { provider, route, params } }: KoaContextWithOIDC, next: () => Promise<unknown>) =>
  checkOpenidScope({ oidc: { provider, route, client: {}, params: { ...params, acr_values: undefined, max_age: undefined } } }, next)

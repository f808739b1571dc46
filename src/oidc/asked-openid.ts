// What of a request is OpenID Connect's alone: of what the engine takes for that, `acr_values` and `max_age` are OAuth's too (RFC 9470 §5).
import stepsOf from 'oidc-provider/lib/actions/authorization/index.js'
import { checkOpenidScope } from 'oidc-provider/lib/actions/authorization/scopes.js'
import { replaceStep, type Step } from './engine-steps.ts'

const routes = ['authorization', 'pushed_authorization_request', 'device_authorization'] as const

/** Has the engine's check see neither, nor what a client's registration says for them. Call before an engine is made. */
export const letStepUpBeOAuth = (): void => {
  for (const route of routes) replaceStep(stepsOf(route), checkOpenidScope, checkOthers)
}

const checkOthers: Step = ({ oidc: { provider, route, params } }, next) =>
  checkOpenidScope({ oidc: { provider, route, client: {}, params: { ...params, acr_values: undefined, max_age: undefined } } }, next)

// Our own failures in the protocol's words.
import Provider, { errors } from 'oidc-provider'
import { isUnavailable } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'

/** 503 `temporarily_unavailable` (RFC 6749 §4.1.2.1): something this server depends on is gone; nobody was refused. */
export const temporarilyUnavailable = (cause: unknown) =>
  Object.assign(new errors.CustomOIDCProviderError('temporarily_unavailable', 'a service this server depends on is unavailable, try again in a moment'), {
    status: 503,
    statusCode: 503,
    expose: true,
    cause,
  })

/** Throws the error, as `temporarily_unavailable` where what this server depends on is gone. */
export const throwTranslated = (error: unknown): never => {
  throw isUnavailable(error) ? temporarilyUnavailable(error) : error
}

/** `invalid_grant` that says why. The engine's own says it to no client, for a code's holder need not be its client: only for who is known by then. */
export const invalidGrant = (description: string, options: { readonly cause?: unknown } = {}) =>
  Object.assign(new errors.InvalidGrant(description), { error_description: description, ...options })

/** `invalid_client` that says why, for who has proven to hold the client's key. */
export const invalidClient = (description: string) => Object.assign(new errors.InvalidClientAuth(description), { error_description: description })

/** `invalid_redirect_uri` that says why (RFC 7591 §3.2.2): the engine has one sentence for all of them, of a request that matches none. */
export const invalidRedirectUri = (description: string) => Object.assign(new errors.InvalidRedirectUri(), { error_description: description })

/** The error as the protocol tells it where it passes by itself: a dependency is gone, or there is no room for one more, and when to come again; else the error. */
export const orPassing = (error: unknown): unknown => {
  if (isUnavailable(error)) return temporarilyUnavailable(error)
  if (!(error instanceof Problem && error.code === 'unavailable')) return error
  comeAgain(error)
  return temporarilyUnavailable(error)
}

const often = { code: 'temporarily_unavailable', description: 'too many requests, try again later' }

/** The error as {@link orPassing} tells it; who asks too often is answered with 429 under a code of the protocol, and when to come again (RFC 6585 §4). */
export const orTooOften = (error: unknown, { code, description } = often): unknown => {
  if (!(error instanceof Problem && error.code === 'too_many_attempts')) return orPassing(error)
  comeAgain(error)
  return Object.assign(new errors.CustomOIDCProviderError(code, description), { status: 429, statusCode: 429, expose: true, cause: error })
}

/** Does what is counted, and throws what it throws as {@link orTooOften} tells it. */
export const limited = async <Result>(work: () => Promise<Result>, told = often): Promise<Result> => {
  try {
    return await work()
  } catch (error) {
    throw orTooOften(error, told)
  }
}

const comeAgain = ({ retryAfterSeconds }: Problem) => {
  if (retryAfterSeconds !== undefined) Provider.ctx?.set('Retry-After', String(retryAfterSeconds))
}

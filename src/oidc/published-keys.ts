// Which of the issuer's keys others are told of: all but those that only open what was encrypted long ago.
import type Provider from 'oidc-provider'
import { at, type EngineStep, paths } from './paths.ts'

/** Leaves the keys out of the engine's JWKS; it decrypts with them all the same. */
export const publishWithout = (provider: Provider, unpublished: ReadonlySet<string>): void => {
  const leaveOut: EngineStep = async (ctx, next) => {
    await next()
    const { body } = ctx
    if (ctx.oidc?.route !== 'jwks' || !isKeySet(body)) return
    ctx.body = { keys: body.keys.filter(({ kid }) => kid === undefined || !unpublished.has(kid)) }
  }
  provider.use(at([paths.jwks], leaveOut))
}

const isKeySet = (body: unknown): body is { keys: { kid?: string }[] } =>
  typeof body === 'object' && body !== null && 'keys' in body && Array.isArray(body.keys)

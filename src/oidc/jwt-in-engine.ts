// Has the engine's introspection and revocation know our JWT access tokens, which it refuses by their form and keeps nowhere.
import Provider, { type AccessToken, type ClientCredentials } from 'oidc-provider'
import introspection from 'oidc-provider/lib/actions/introspection.js'
import revocation from 'oidc-provider/lib/actions/revocation.js'
import rejectStructuredTokens from 'oidc-provider/lib/shared/reject_structured_tokens.js'
import { clockToleranceSeconds } from './artifact.ts'
import { replaceStep, type Step } from './engine-steps.ts'
import type { JwtAccessToken, JwtAccessTokens } from './jwt-access-tokens.ts'
import { throwTranslated } from './problems.ts'
import type { TokenStandings } from './token-standing.ts'

interface Needs {
  readonly jwtAccessTokens: JwtAccessTokens
  readonly tokenStandings: TokenStandings
  readonly now: () => Date
}

const routes = new Set(['introspection', 'revocation'])

/** Whether it has the form of a JWS (RFC 7515 §7.1). */
export const isStructured = (token: string): boolean => /^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)

/** The engine's model of a JWT access token; destroying it leaves a tombstone. */
export const toModel = (provider: Provider, { claims, reference }: JwtAccessToken, { tokenStandings, now }: Needs): AccessToken | ClientCredentials => {
  const { jti, sub: _sub, iss: _iss, client_id: clientId, iat, exp, aud, scope, cnf, authorization_details: rar, ...extra } = claims
  const bare = { jti, clientId, iat, exp, aud, scope, rar, extra, jkt: cnf?.jkt, 'x5t#S256': cnf?.['x5t#S256'] }
  const { grantId, accountId, sessionUid } = reference ?? {}
  const model = reference
    ? Reflect.construct(provider.AccessToken, [{ ...bare, grantId, accountId, sessionUid, expiresWithSession: sessionUid !== undefined }])
    : Reflect.construct(provider.ClientCredentials, [bare])
  const destroy = () => tokenStandings.revoke(jti, Math.max(1, exp - Math.floor(now().getTime() / 1000)) + clockToleranceSeconds)
  return Object.assign(model, { destroy })
}

/**
 * Has the engine look for what has the form of a JWT, which it would refuse before (RFC 7009 §2.2.1 lets it), and which costs a thrown error for every
 * token that has not. Call before an engine is made.
 */
export const letJwtsBeFound = (): void => {
  for (const steps of [introspection, revocation]) replaceStep(steps, rejectStructuredTokens, takeAnyToken)
}

const takeAnyToken: Step = (_ctx, next) => next()

/** Installs it. Call once for each engine, before it is used. */
export const knowJwtAccessTokens = (provider: Provider, needs: Needs): void => {
  // All kinds are asked for together: what is found is found once a request.
  const found = new WeakMap<object, Promise<AccessToken | ClientCredentials | undefined>>()
  const load = async (value: string) => {
    const token = await needs.jwtAccessTokens.find(value).catch(throwTranslated)
    return token && toModel(provider, token, needs)
  }
  const find = (value: string) => {
    const key = Provider.ctx ?? {}
    const known = found.get(key) ?? load(value)
    found.set(key, known)
    return known
  }
  for (const model of [provider.AccessToken, provider.ClientCredentials, provider.RefreshToken]) {
    const findOpaque = model.find.bind(model)
    const findOwn = async (value: string) => {
      const token = await find(value)
      return token?.kind === model.name ? token : undefined
    }
    const findEither = (value: string, ...rest: []) =>
      typeof value === 'string' && isStructured(value) && routes.has(Provider.ctx?.oidc?.route ?? '') ? findOwn(value) : findOpaque(value, ...rest)
    Object.assign(model, { find: findEither })
  }
}

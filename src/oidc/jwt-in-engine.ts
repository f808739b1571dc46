// Has the engine's introspection and revocation know our JWT access tokens, which it refuses by their form and keeps nowhere.
import Provider, { type AccessToken, type ClientCredentials, type KoaContextWithOIDC } from 'oidc-provider'
import { clockToleranceSeconds } from './artifact.ts'
import type { JwtAccessToken, JwtAccessTokens } from './jwt-access-tokens.ts'
import { throwTranslated } from './problems.ts'
import type { TokenStandings } from './token-standing.ts'

interface Needs {
  readonly jwtAccessTokens: JwtAccessTokens
  readonly tokenStandings: TokenStandings
  readonly now: () => Date
}

const prefix = 'jwt:'
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

/** Installs it. Call once for each engine, before it is used. */
export const knowJwtAccessTokens = (provider: Provider, needs: Needs): void => {
  veilStructuredTokens(provider)
  // All kinds are asked for together: what is found is found once a request.
  const found = new WeakMap<object, Promise<AccessToken | ClientCredentials | undefined>>()
  const load = async (veiled: string) => {
    const token = await needs.jwtAccessTokens.find(veiled.slice(prefix.length).replaceAll(':', '.')).catch(throwTranslated)
    return token && toModel(provider, token, needs)
  }
  const find = (veiled: string) => {
    const key = Provider.ctx ?? {}
    const known = found.get(key) ?? load(veiled)
    found.set(key, known)
    return known
  }
  for (const model of [provider.AccessToken, provider.ClientCredentials, provider.RefreshToken]) {
    const findOpaque = model.find.bind(model)
    const findOwn = async (veiled: string) => {
      const token = await find(veiled)
      return token?.kind === model.name ? token : undefined
    }
    // What somebody veils by themselves is no token.
    const findEither = (value: string, ...rest: []) =>
      typeof value === 'string' && value.startsWith(prefix) && routes.has(Provider.ctx?.oidc?.route ?? '') ? findOwn(value) : findOpaque(value, ...rest)
    Object.assign(model, { find: findEither })
  }
}

// The engine refuses what has the form of a JWT before it looks for it (RFC 7009 §2.2.1 lets it): under a veil, it looks.
const veilStructuredTokens = (provider: Provider): void => {
  const set = function (this: KoaContextWithOIDC['oidc'], given: Record<string, unknown>) {
    const { token } = given
    if (routes.has(this.route) && typeof token === 'string' && isStructured(token)) given.token = `${prefix}${token.replaceAll('.', ':')}`
    Object.defineProperty(this, 'params', { value: given, writable: true, enumerable: true, configurable: true })
  }
  Object.defineProperty(provider.OIDCContext.prototype, 'params', { set, configurable: true })
}

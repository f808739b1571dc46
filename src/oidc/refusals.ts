// Calls a refusal of the engine what the specification calls it, where the two differ, or the engine says less than it knows.
import { decodeJwt, errors } from 'jose'
import Provider, { type KoaContextWithOIDC } from 'oidc-provider'
import { cibaGrantType, deviceGrantType } from '../clients/grant-types.ts'
import { assertionFault } from './assertion-fault.ts'

/** Renames refusals. */
export interface Refusals {
  /** Notes that the request in work brought a `jti` a second time: of its DPoP proof, or of an assertion. */
  noteReplay(jti: string): void
  /** Gives the answer's error its name; an answer without one stays as it is. */
  rename(ctx: KoaContextWithOIDC): void
}

interface Name {
  readonly error: string
  readonly description: string
  readonly status: number
}

// The engine's words for whatever is wrong with how a client authenticates.
const unexplained = 'client authentication failed'

// The engine's words for a request without an access token.
const untried = 'no access token provided'
const registering = new Set(['registration', 'client', 'client_update', 'client_delete'])

/** Makes it. */
export const createRefusals = (now: () => Date): Refusals => {
  const replays = new WeakSet<object>()
  const assertionReplays = new WeakSet<object>()
  const rename = (ctx: KoaContextWithOIDC): void => {
    const body: unknown = ctx.body
    if (isUnproven(ctx)) {
      tell(ctx, { error: 'invalid_client', description: 'the client must authenticate itself', status: 401 })
      return
    }
    if (typeof body !== 'object' || body === null || !('error' in body)) return
    if (body.error === 'invalid_client' && 'error_description' in body && body.error_description === unexplained) {
      const fault = assertionReplays.has(ctx) ? 'jti of the client assertion was used before' : assertionFault(ctx, now().getTime() / 1000)
      if (fault !== undefined) ctx.body = { ...body, error_description: fault }
      return
    }
    // RFC 6750 §3.1: who tried nothing is told that there is something to try, and of no error.
    if (registering.has(ctx.oidc?.route) && ctx.status === 401 && 'error_description' in body && body.error_description === untried) {
      ctx.body = ''
      ctx.status = 401
      return
    }
    const name = nameOf(ctx, body.error, replays.has(ctx))
    if (name) tell(ctx, name)
  }

  return {
    noteReplay: jti => {
      const { ctx } = Provider
      if (!ctx) return
      if (jtiOf(ctx.get('DPoP')) === jti) replays.add(ctx)
      else if (jtiOf(String(ctx.oidc.body?.client_assertion)) === jti) assertionReplays.add(ctx)
    },
    rename,
  }
}

const tell = (ctx: KoaContextWithOIDC, name: Name): void => {
  ctx.status = name.status
  // RFC 9110 §15.5.2, RFC 6749 §5.2: who brought nothing that could be read is told the scheme, as is whoever tried the header.
  if (name.status === 401) ctx.set('WWW-Authenticate', `Basic realm="${ctx.oidc.issuer}", error="${name.error}"`)
  ctx.body = { error: name.error, error_description: name.description }
}

// RFC 7662 §2.1: some form of authorization is required, and whoever found a token may say a public client's name. Whatever the engine would answer.
const isUnproven = ({ oidc }: KoaContextWithOIDC): boolean => oidc?.route === 'introspection' && oidc.client?.clientAuthMethod === 'none'

const jtiOf = (proof: string): string | undefined => {
  try {
    return decodeJwt(proof).jti
  } catch (error) {
    if (error instanceof errors.JWTInvalid) return undefined
    throw error
  }
}

const nameOf = (ctx: KoaContextWithOIDC, error: unknown, isReplay: boolean): Name | undefined => {
  // RFC 9449 §5: a proof that is not valid, and §4.3: nor is one that was seen before. A replayed assertion is told as what it is.
  if (isReplay && (error === 'invalid_grant' || error === 'invalid_request'))
    return { error: 'invalid_dpop_proof', description: 'the DPoP proof was used before', status: 400 }
  if (error !== 'invalid_request') return undefined
  // RFC 6749 §5.2: also «no client authentication included, or unsupported authentication method».
  if (isNobody(ctx)) return { error: 'invalid_client', description: 'client authentication is missing or malformed', status: 401 }
  if (isUnauthorized(ctx)) return { error: 'unauthorized_client', description: 'the client may not use this grant type', status: 400 }
  return undefined
}

const authenticated = new Set(['token', 'introspection', 'revocation', 'pushed_authorization_request', 'device_authorization', 'backchannel_authentication'])

// Nothing that could be read says who asks. With a second way beside the header the request itself is wrong, and stays so.
const isNobody = ({ oidc, headers }: KoaContextWithOIDC): boolean =>
  authenticated.has(oidc.route) &&
  oidc.client === undefined &&
  oidc.body !== undefined &&
  !oidc.body.client_id &&
  !oidc.body.client_assertion &&
  !(headers.authorization !== undefined && oidc.body.client_secret)

const grantOfRoute: Readonly<Record<string, string>> = {
  device_authorization: deviceGrantType,
  backchannel_authentication: cibaGrantType,
}

// RFC 6749 §5.2, RFC 8628 §3.2. A client that did not authenticate is told of that, and of nothing else.
const isUnauthorized = ({ oidc }: KoaContextWithOIDC): boolean => {
  const grantType = oidc.route === 'token' ? oidc.params?.grant_type : grantOfRoute[oidc.route]
  return typeof grantType === 'string' && oidc.client !== undefined && !oidc.client.grantTypeAllowed(grantType)
}

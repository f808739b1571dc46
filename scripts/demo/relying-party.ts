// Speaks OpenID Connect to the issuer through openid-client, discovering it when first needed.
import * as client from 'openid-client'
import type { PendingSignIn, SignedIn } from './sessions.ts'

export interface RelyingPartySettings {
  readonly issuer: URL
  /** Where the demo is served, without a trailing slash. */
  readonly origin: string
  readonly clientId: string
  readonly clientSecret: string
}

/** The issuer did not answer, or not as an OpenID provider. */
export class IssuerUnreachable extends Error {
  override readonly name = 'IssuerUnreachable'
}

/** The issuer refused; `code` is the OAuth error code. */
export class IssuerRefused extends Error {
  override readonly name = 'IssuerRefused'
  readonly code: string
  readonly description: string | undefined

  constructor(code: string, description: string | undefined, options?: ErrorOptions) {
    super(code, options)
    this.code = code
    this.description = description
  }
}

export type RelyingParty = ReturnType<typeof createRelyingParty>

const wantedScopes = ['openid', 'profile', 'email', 'organizations', 'offline_access']
const loopbackHosts = new Set(['localhost', '127.0.0.1', '[::1]'])

/** A relying party; its calls throw `IssuerUnreachable` or `IssuerRefused`. */
export function createRelyingParty({ issuer, origin, clientId, clientSecret }: RelyingPartySettings) {
  const execute = issuer.protocol === 'http:' && loopbackHosts.has(issuer.hostname) ? [client.allowInsecureRequests] : []
  let discovered: Promise<client.Configuration> | undefined

  const discover = (): Promise<client.Configuration> => {
    const discovery = told(client.discovery(issuer, clientId, undefined, client.ClientSecretBasic(clientSecret), { execute, timeout: 5 }))
    discovered = discovery.catch(cause => {
      discovered = undefined // an issuer that starts later is found by the next request
      throw cause instanceof IssuerUnreachable ? cause : new IssuerUnreachable(issuer.href, { cause })
    })
    return discovered
  }
  const configuration = (): Promise<client.Configuration> => discovered ?? discover()
  const userinfo = async ({ accessToken, claims }: SignedIn): Promise<Readonly<Record<string, unknown>>> =>
    told(client.fetchUserInfo(await configuration(), accessToken, claims.sub))

  return {
    /** Resolves when the issuer answers now. */
    async reach(): Promise<void> {
      await discover()
    },

    /** The authorization URL, and what must be kept until the answer comes. */
    async startSignIn(): Promise<{ url: URL; state: string; pending: PendingSignIn }> {
      const config = await discover()
      const pending = { codeVerifier: client.randomPKCECodeVerifier(), nonce: client.randomNonce() }
      const state = client.randomState()
      const url = client.buildAuthorizationUrl(config, {
        redirect_uri: `${origin}/callback`,
        scope: knownScopes(config),
        state,
        nonce: pending.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(pending.codeVerifier),
        code_challenge_method: 'S256',
      })
      return { url, state, pending }
    },

    /** Redeems the code of the callback URL (state, nonce, issuer and signature are checked) and asks for userinfo. */
    async finishSignIn(callback: URL, state: string, { codeVerifier, nonce }: PendingSignIn): Promise<SignedIn> {
      const config = await configuration()
      const checks = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: codeVerifier, idTokenExpected: true }
      const user = signedIn(await told(client.authorizationCodeGrant(config, callback, checks)), undefined)
      return { ...user, userinfo: await userinfo(user) }
    },

    /** Asks the userinfo endpoint; the subject must be that of the ID token. */
    fetchUserinfo: userinfo,

    /** Redeems the refresh token; what the issuer does not give again stays as it was. */
    async refresh(before: SignedIn & { refreshToken: string }): Promise<SignedIn> {
      return signedIn(await told(client.refreshTokenGrant(await configuration(), before.refreshToken)), before)
    },

    /** The sign-out URL (RP-Initiated Logout 1.0), or `undefined` when the issuer has none. */
    async signOutUrl({ idToken }: SignedIn): Promise<URL | undefined> {
      const config = await configuration()
      if (!config.serverMetadata().end_session_endpoint) return undefined
      return client.buildEndSessionUrl(config, { id_token_hint: idToken, post_logout_redirect_uri: `${origin}/` })
    },
  }
}

function knownScopes(config: client.Configuration): string {
  const supported = config.serverMetadata().scopes_supported
  return wantedScopes.filter(scope => supported === undefined || supported.includes(scope)).join(' ')
}

type Tokens = client.TokenEndpointResponse & client.TokenEndpointResponseHelpers

function signedIn(tokens: Tokens, before: SignedIn | undefined): SignedIn {
  const claims = tokens.claims() ?? before?.claims
  const idToken = tokens.id_token ?? before?.idToken
  if (!claims || !idToken) throw new IssuerRefused('no_id_token', 'The issuer gave no ID token.')
  const seconds = tokens.expiresIn()
  return {
    claims,
    idToken,
    accessToken: tokens.access_token,
    refreshToken: tokens.refresh_token ?? before?.refreshToken,
    scope: tokens.scope ?? before?.scope,
    accessTokenExpiresAt: seconds === undefined ? undefined : new Date(Date.now() + seconds * 1000),
    userinfo: before?.userinfo,
  }
}

/** Turns the library's errors into the two kinds that the pages tell apart. */
async function told<T>(call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (cause) {
    if (cause instanceof client.ResponseBodyError || cause instanceof client.AuthorizationResponseError) {
      throw new IssuerRefused(cause.error, cause.error_description, { cause })
    }
    if (cause instanceof client.WWWAuthenticateChallengeError) {
      const parameters = cause.cause[0]?.parameters
      throw new IssuerRefused(parameters?.error ?? `http_${cause.status}`, parameters?.error_description, { cause })
    }
    // fetch reports a refused connection as a TypeError whose cause is the system's error
    const unreachable = (cause instanceof TypeError && cause.cause instanceof Error) || (cause instanceof client.ClientError && cause.code === 'OAUTH_TIMEOUT')
    if (unreachable) throw new IssuerUnreachable('the issuer does not answer', { cause })
    if (cause instanceof client.ClientError) throw new IssuerRefused(cause.code ?? 'invalid_response', cause.message, { cause })
    throw cause
  }
}

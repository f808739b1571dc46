// Any OpenID Connect provider: discovered, asked with PKCE, state and nonce, and believed only where ID token and userinfo agree.
import * as client from 'openid-client'
import { z } from 'zod'
import { Problem } from '../platform/errors.ts'
import type { Connector, ConnectorNeeds, UpstreamIdentity } from './connector.ts'

/** The settings of a provider. */
export const oidcSettings = z.strictObject({
  issuer: z.url({ protocol: /^https?$/ }),
  client_id: z.string().min(1).max(255),
  scopes: z.array(z.string().min(1)).max(20).default(['openid', 'email', 'profile']),
  /** The one algorithm of its ID tokens; what they are signed with otherwise is refused. */
  id_token_signed_response_alg: z.enum(['RS256', 'PS256', 'ES256', 'EdDSA']).default('RS256'),
})

/** The settings of a provider. */
export type OidcSettings = z.output<typeof oidcSettings>

/** Its secret. */
export const oidcSecrets = z.strictObject({ client_secret: z.string().min(1).max(1024) })

/** Its secret. */
export type OidcSecrets = z.output<typeof oidcSecrets>

const claims = z.looseObject({
  sub: z.string().min(1).max(255),
  email: z.string().optional(),
  // A string «true» is no proof: OpenID Connect Core §5.1 says boolean.
  email_verified: z.unknown(),
  name: z.string().optional(),
  picture: z.string().optional(),
  auth_time: z.number().optional(),
})

/** Makes the connector. */
export const createOidcConnector = ({ fetch }: Pick<ConnectorNeeds, 'fetch'>): Connector<OidcSettings, OidcSecrets> => {
  const discover = async ({ settings, secrets }: { settings: OidcSettings; secrets: OidcSecrets }) => {
    try {
      return await client.discovery(
        new URL(settings.issuer),
        settings.client_id,
        { client_secret: secrets.client_secret, id_token_signed_response_alg: settings.id_token_signed_response_alg },
        undefined,
        { [client.customFetch]: fetch, execute: settings.issuer.startsWith('http:') ? [client.allowInsecureRequests] : [] },
      )
    } catch (error) {
      throw new Problem('upstream_unavailable', { cause: error })
    }
  }
  return {
    id: 'oidc',
    name: 'OpenID Connect',
    settings: oidcSettings,
    secrets: oidcSecrets,
    originsOf: ({ issuer }) => [new URL(issuer).origin],
    begin: async ({ settings, secrets, callbackUrl }, { state, loginHint, isAgain }) => {
      const configuration = await discover({ settings, secrets })
      const kept = { verifier: client.randomPKCECodeVerifier(), nonce: client.randomNonce() }
      const redirectUrl = client.buildAuthorizationUrl(configuration, {
        redirect_uri: callbackUrl,
        scope: settings.scopes.join(' '),
        state,
        nonce: kept.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(kept.verifier),
        code_challenge_method: 'S256',
        ...(loginHint === undefined ? {} : { login_hint: loginHint }),
        ...(isAgain ? { max_age: '0' } : {}),
      })
      return { redirectUrl, kept }
    },
    complete: async ({ settings, secrets, callbackUrl }, { state, isAgain, kept, answer }) => {
      const configuration = await discover({ settings, secrets })
      // The address that is checked is ours; what the browser says of it counts for its query alone.
      const answered = new URL(callbackUrl)
      answered.search = answer.query
      try {
        const tokens = await client.authorizationCodeGrant(configuration, answered, {
          pkceCodeVerifier: kept.verifier,
          expectedState: state,
          expectedNonce: kept.nonce,
          idTokenExpected: true,
          ...(isAgain ? { maxAge: 60 } : {}),
        })
        const told = claims.parse(tokens.claims())
        const more = configuration.serverMetadata().userinfo_endpoint ? await client.fetchUserInfo(configuration, tokens.access_token, told.sub) : {}
        return toIdentity(told, more)
      } catch (error) {
        if (error instanceof client.AuthorizationResponseError) throw new Problem('upstream_refused', { cause: error })
        throw new Problem('upstream_answer_invalid', { cause: error })
      }
    },
    test: async connection => {
      try {
        await discover(connection)
        return [{ check: 'discovery', isGood: true }]
      } catch {
        return [{ check: 'discovery', isGood: false, detail: 'The discovery document cannot be read.' }]
      }
    },
  }
}

// An address and what is said of it come from one document: the ID token where it has one, else userinfo (security of CVE-2026-14781's kind).
const toIdentity = (token: z.output<typeof claims>, more: object): UpstreamIdentity => {
  const userinfo = claims.partial().parse(more)
  const source = token.email === undefined ? userinfo : token
  return {
    subject: token.sub,
    ...(source.email === undefined ? {} : { email: source.email }),
    isEmailVerified: source.email_verified === true,
    name: token.name ?? userinfo.name,
    picture: token.picture ?? userinfo.picture,
    claims: { ...more, ...token },
    ...(token.auth_time === undefined ? {} : { authenticatedAt: new Date(token.auth_time * 1000) }),
  }
}

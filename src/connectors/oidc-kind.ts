// Makes a connector of a provider that speaks OpenID Connect: the sign-in is here, once; a kind says whom it asks and how it reads the answer.
import { jwtVerify } from 'jose'
import * as client from 'openid-client'
import { z } from 'zod'
import { Problem } from '../platform/errors.ts'
import type { Configured, Connector, ConnectorNeeds, UpstreamIdentity, Wish } from './connector.ts'
import { lookAtServer } from './oidc-findings.ts'
import { createOidcServers, type FoundServer, type OidcClient } from './oidc-servers.ts'
import { subjectSchema, type Told } from './told-claims.ts'
import { upstreamProblem } from './upstream-answers.ts'

/** The secret of a client. */
export const oidcSecrets = z.strictObject({ client_secret: z.string().min(1).max(1024) })

/** The secret of a client. */
export type OidcSecrets = z.output<typeof oidcSecrets>

/** What a client is called. */
export const clientIdSchema = z.string().min(1).max(255)

/** Whom a connection asks, and for what. */
export interface Asked extends Omit<OidcClient, 'clientSecret'> {
  readonly scopes: readonly string[]
  /** Added to the authorization request. */
  readonly parameters?: Readonly<Record<string, string>>
  /** Added where the person has to prove themselves again: `auth_time` has to be told. */
  readonly parametersAgain?: Readonly<Record<string, string>>
  /** Whether its ID tokens say all there is. */
  readonly isUserinfoUnasked?: boolean
}

/** What was proven: both documents speak of the same subject. */
export interface ToldDocuments {
  readonly idToken: Told & { readonly sub: string }
  readonly userinfo: Told
  /** Whose tokens the keys that may have signed are for, where the provider says it of its keys. */
  readonly keyIssuers: readonly unknown[]
}

/** What differs between kinds. */
export interface OidcKind<Settings> extends Pick<Connector<Settings, OidcSecrets>, 'id' | 'name' | 'settings' | 'authorityOf' | 'brandAuthority'> {
  /** Whether it may call itself other than it was set: Microsoft has one address for many. */
  isCalled?(issuer: string, told: string): boolean
  /** Whether it cannot be made to have a person prove themselves again. */
  readonly isAskedOnce?: boolean
  asked(settings: Settings): Asked
  /** May throw: the answer is then invalid. */
  identify(told: ToldDocuments, settings: Settings): Omit<UpstreamIdentity, 'authenticatedAt'>
}

const skewMilliseconds = 60_000
const keptSchema = z.object({ verifier: z.string().min(43), nonce: z.string().min(43), begunAt: z.coerce.number().int().positive() })
const claimsSchema = z.looseObject({ sub: subjectSchema, iat: z.number(), exp: z.number(), auth_time: z.number().optional() })

/** Makes the connector. */
export const createOidcKind = <Settings>(
  needs: Pick<ConnectorNeeds, 'fetch' | 'now' | 'randomBytes'>,
  kind: OidcKind<Settings>,
): Connector<Settings, OidcSecrets> => {
  const { now, randomBytes } = needs
  const unguessable = () => randomBytes(32).toString('base64url')
  const servers = createOidcServers({ ...needs, isCalled: kind.isCalled })
  type Connection = Pick<Configured<Settings, OidcSecrets>, 'settings' | 'secrets'>
  const clientOf = ({ settings, secrets }: Connection): OidcClient => {
    const { issuer, clientId, alg, authMethod } = kind.asked(settings)
    return { issuer, clientId, clientSecret: secrets.client_secret, alg, authMethod }
  }
  const open = async (connection: Connection) => {
    const by = clientOf(connection)
    const found = await servers.get(by.issuer)
    return { found, configuration: await servers.configure(found, by) }
  }
  return {
    id: kind.id,
    name: kind.name,
    settings: kind.settings,
    secrets: oidcSecrets,
    authorityOf: kind.authorityOf,
    brandAuthority: kind.brandAuthority,
    begin: async ({ settings, secrets, callbackUrl }, wish) => {
      if (wish.isAgain && kind.isAskedOnce) throw new Problem('upstream_cannot_again', { values: { name: kind.name } })
      const { configuration } = await open({ settings, secrets })
      const kept = { verifier: unguessable(), nonce: unguessable(), begunAt: String(now().getTime()) }
      const redirectUrl = client.buildAuthorizationUrl(configuration, {
        ...parametersOf(kind.asked(settings), wish),
        redirect_uri: callbackUrl,
        nonce: kept.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(kept.verifier),
        code_challenge_method: 'S256',
      })
      return { redirectUrl, kept }
    },
    complete: async ({ settings, secrets, callbackUrl }, { state, isAgain, kept, answer }) => {
      const asked = kind.asked(settings)
      const { found, configuration } = await open({ settings, secrets })
      // The address that is checked is ours; what the browser says of it counts for its query alone.
      const answered = new URL(callbackUrl)
      answered.search = answer.method === 'GET' ? answer.query : ''
      try {
        const { verifier, nonce, begunAt } = keptSchema.parse(kept)
        const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true }
        const tokens = await client.authorizationCodeGrant(configuration, answered, checks)
        const { idToken, keyIssuers } = await verifyIdToken(found, tokens.id_token ?? '', { clientId: asked.clientId, alg: asked.alg, now: now() })
        const authenticatedAt = timeOf(idToken.auth_time, now())
        if (isAgain && (!authenticatedAt || authenticatedAt.getTime() < begunAt - skewMilliseconds))
          throw new Error('the person did not prove themselves again')
        const userinfo = await readUserinfo(configuration, tokens.access_token, asked, idToken.sub)
        return { ...kind.identify({ idToken, userinfo, keyIssuers }, settings), ...(authenticatedAt ? { authenticatedAt } : {}) }
      } catch (error) {
        throw upstreamProblem(error)
      }
    },
    test: connection => lookAtServer(servers, clientOf(connection), connection.callbackUrl),
  }
}

const parametersOf = ({ scopes, parameters, parametersAgain }: Asked, { state, loginHint, isAgain }: Wish): Record<string, string> => ({
  scope: scopes.join(' '),
  state,
  ...(loginHint === undefined ? {} : { login_hint: loginHint }),
  ...parameters,
  ...(isAgain ? { prompt: 'login', max_age: '0', ...parametersAgain } : {}),
})

// The library compares issuer, audience and nonce; the times, and whose signature it is, we look at ourselves, with keys that are found anew when they are unknown.
const verifyIdToken = async ({ keys }: FoundServer, idToken: string, { clientId, alg, now }: { clientId: string; alg: string; now: Date }) => {
  const { payload, protectedHeader } = await jwtVerify(idToken, keys, {
    algorithms: [alg],
    audience: clientId,
    currentDate: now,
    clockTolerance: skewMilliseconds / 1000,
  })
  const claims = claimsSchema.parse(payload)
  // OpenID Connect Core §3.1.3.7: where there is an authorized party, it is us.
  if (claims.azp !== undefined && claims.azp !== clientId) throw new Error('the authorized party is another')
  timeOf(claims.iat, now)
  const { kid } = protectedHeader
  const signing = keys.jwks()?.keys.filter(key => kid === undefined || key.kid === kid) ?? []
  return { idToken: claims, keyIssuers: signing.flatMap(key => ('issuer' in key ? key.issuer : [])) }
}

const timeOf = (seconds: number | undefined, now: Date): Date | undefined => {
  if (seconds === undefined) return undefined
  if (seconds * 1000 > now.getTime() + skewMilliseconds) throw new Error('a time is in the future')
  return new Date(seconds * 1000)
}

const readUserinfo = async (configuration: client.Configuration, accessToken: string, { isUserinfoUnasked }: Asked, subject: string): Promise<Told> => {
  if (isUserinfoUnasked || !configuration.serverMetadata().userinfo_endpoint) return {}
  return client.fetchUserInfo(configuration, accessToken, subject)
}

// GitHub, which speaks OAuth 2.0 and no OpenID Connect: the person by their number, the address by the list of those it verified.
import * as client from 'openid-client'
import { z } from 'zod'
import { Problem } from '../platform/errors.ts'
import type { Connector, ConnectorNeeds } from './connector.ts'

/** The settings of an app of GitHub, or of a GitHub Enterprise server. */
export const githubSettings = z.strictObject({
  client_id: z.string().min(1).max(255),
  origin: z.url({ protocol: /^https?$/ }).default('https://github.com'),
  api_origin: z.url({ protocol: /^https?$/ }).default('https://api.github.com'),
})

/** The settings of an app. */
export type GithubSettings = z.output<typeof githubSettings>

/** Its secret. */
export const githubSecrets = z.strictObject({ client_secret: z.string().min(1).max(1024) })

/** Its secret. */
export type GithubSecrets = z.output<typeof githubSecrets>

// A null id once linked everybody to one account elsewhere: a number that counts, or no sign-in.
const person = z.looseObject({ id: z.int().positive(), login: z.string(), name: z.string().nullish(), avatar_url: z.string().nullish() })
const addresses = z.array(z.looseObject({ email: z.string(), primary: z.boolean(), verified: z.boolean() }))

/** Makes the connector. */
export const createGithubConnector = ({ fetch }: Pick<ConnectorNeeds, 'fetch'>): Connector<GithubSettings, GithubSecrets> => {
  const configure = ({ settings, secrets }: { settings: GithubSettings; secrets: GithubSecrets }) => {
    const { origin, client_id: clientId } = settings
    const server = {
      issuer: origin,
      authorization_endpoint: new URL('/login/oauth/authorize', origin).href,
      token_endpoint: new URL('/login/oauth/access_token', origin).href,
    }
    const configuration = new client.Configuration(server, clientId, secrets.client_secret, client.ClientSecretPost(secrets.client_secret))
    configuration[client.customFetch] = fetch
    if (origin.startsWith('http:')) client.allowInsecureRequests(configuration)
    return configuration
  }
  return {
    id: 'github',
    name: 'GitHub',
    settings: githubSettings,
    secrets: githubSecrets,
    originsOf: ({ origin, api_origin: apiOrigin }) => [origin, apiOrigin],
    begin: async ({ settings, secrets, callbackUrl }, { state, loginHint }) => {
      const kept = { verifier: client.randomPKCECodeVerifier() }
      const redirectUrl = client.buildAuthorizationUrl(configure({ settings, secrets }), {
        redirect_uri: callbackUrl,
        scope: 'read:user user:email',
        state,
        code_challenge: await client.calculatePKCECodeChallenge(kept.verifier),
        code_challenge_method: 'S256',
        ...(loginHint === undefined ? {} : { login: loginHint }),
      })
      return { redirectUrl, kept }
    },
    complete: async ({ settings, secrets, callbackUrl }, { state, kept, answer }) => {
      const configuration = configure({ settings, secrets })
      const answered = new URL(callbackUrl)
      answered.search = answer.query
      try {
        const tokens = await client.authorizationCodeGrant(configuration, answered, { pkceCodeVerifier: kept.verifier, expectedState: state })
        const read = async (path: string): Promise<unknown> =>
          (await client.fetchProtectedResource(configuration, tokens.access_token, new URL(path, settings.api_origin), 'GET')).json()
        const told = person.parse(await read('/user'))
        const list = addresses.parse(await read('/user/emails'))
        // GitHub's own no-reply addresses are verified and nobody reads them.
        const primary = list.find(one => one.primary && one.verified && !/@users\.noreply\./i.test(one.email))
        return {
          subject: String(told.id),
          ...(primary ? { email: primary.email } : {}),
          isEmailVerified: primary !== undefined,
          name: told.name ?? told.login,
          ...(told.avatar_url ? { picture: told.avatar_url } : {}),
          claims: { login: told.login },
        }
      } catch (error) {
        if (error instanceof client.AuthorizationResponseError) throw new Problem('upstream_refused', { cause: error })
        throw new Problem('upstream_answer_invalid', { cause: error })
      }
    },
    // Its endpoints are known and it has none that tells of an app: there is nothing to look at before somebody signs in.
    test: async () => [],
  }
}

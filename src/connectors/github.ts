// GitHub, which speaks OAuth 2.0 and no OpenID Connect: the person by their number, the address by the list of those it verified.
import * as client from 'openid-client'
import { z } from 'zod'
import { Problem } from '../platform/errors.ts'
import type { Connector, ConnectorNeeds, Finding, UpstreamIdentity } from './connector.ts'
import { originSchema } from './oidc-addresses.ts'
import { clientIdSchema, type OidcSecrets, oidcSecrets } from './oidc-kind.ts'
import { claimsOf, emailOf, profileOf } from './told-claims.ts'
import { createUpstreamFetch, upstreamProblem } from './upstream-answers.ts'

const github = 'https://github.com'

/** The settings of an app of GitHub, or of a GitHub Enterprise server. */
export const githubSettings = z.strictObject({ client_id: clientIdSchema, origin: originSchema.default(github) })

/** The settings of an app. */
export type GithubSettings = z.output<typeof githubSettings>

const keptSchema = z.object({ verifier: z.string().min(43) })
// A null id once linked everybody to one account elsewhere: a number that counts, or no sign-in.
const person = z.looseObject({ id: z.int().positive(), login: z.string().min(1).max(255) })
const addresses = z.array(z.looseObject({ email: z.string(), primary: z.boolean(), verified: z.boolean() })).max(1000)
const neverAgain = 'GitHub cannot say that somebody proved themselves again'
// Its own such addresses are verified, and nobody reads them.
const noReply = /@(.+\.)?noreply\./

/** Makes the connector. */
export const createGithubConnector = (needs: Pick<ConnectorNeeds, 'fetch' | 'randomBytes'>): Connector<GithubSettings, OidcSecrets> => {
  const fetch = createUpstreamFetch(needs.fetch)
  const configure = (settings: GithubSettings, secrets: OidcSecrets) => {
    const { origin, client_id: clientId } = settings
    // What it calls itself in its answers (RFC 9207); a server that does not say it yet is taken without.
    const issuer = `${origin}/login/oauth`
    const server = { issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/access_token` }
    const configuration = new client.Configuration(server, clientId, {}, client.ClientSecretPost(secrets.client_secret))
    configuration[client.customFetch] = fetch
    if (origin.startsWith('http:')) client.allowInsecureRequests(configuration)
    return configuration
  }
  return {
    id: 'github',
    name: 'GitHub',
    settings: githubSettings,
    secrets: oidcSecrets,
    authorityOf: ({ origin }) => origin,
    brandAuthority: github,
    begin: async ({ settings, secrets, callbackUrl }, { state, loginHint, isAgain }) => {
      // It tells nobody when a person proved themselves.
      if (isAgain) throw new Problem('upstream_cannot_again', { values: { name: 'GitHub' } })
      const kept = { verifier: needs.randomBytes(32).toString('base64url') }
      const redirectUrl = client.buildAuthorizationUrl(configure(settings, secrets), {
        redirect_uri: callbackUrl,
        scope: 'read:user user:email',
        state,
        code_challenge: await client.calculatePKCECodeChallenge(kept.verifier),
        code_challenge_method: 'S256',
        ...(loginHint === undefined ? {} : { login: loginHint }),
      })
      return { redirectUrl, kept }
    },
    complete: async ({ settings, secrets, callbackUrl }, { state, isAgain, kept, answer }) => {
      const configuration = configure(settings, secrets)
      const answered = new URL(callbackUrl)
      answered.search = answer.method === 'GET' ? answer.query : ''
      try {
        if (isAgain) throw new Error(neverAgain)
        const { verifier } = keptSchema.parse(kept)
        const tokens = await client.authorizationCodeGrant(configuration, answered, { pkceCodeVerifier: verifier, expectedState: state })
        const read = (path: string) => client.fetchProtectedResource(configuration, tokens.access_token, new URL(apiOf(settings.origin) + path), 'GET')
        return identify(await readJson(await read('/user')), await readAddresses(await read('/user/emails?per_page=100')))
      } catch (error) {
        throw upstreamProblem(error)
      }
    },
    test: async ({ settings, secrets }) => [await testCredentials(fetch, settings, secrets)],
  }
}

// Of github.com, of a company's own *.ghe.com, and of an Enterprise server.
const apiOf = (origin: string): string => {
  const { protocol, host } = new URL(origin)
  return host === 'github.com' || /^[^.]+\.ghe\.com$/.test(host) ? `${protocol}//api.${host}` : `${origin}/api/v3`
}

const readJson = async (response: Response): Promise<unknown> => {
  if (response.status === 200) return response.json()
  await response.body?.cancel()
  throw new Error(`answered with status ${response.status}`)
}

// An app that may not read addresses is answered so: the person then has none.
const readAddresses = async (response: Response): Promise<unknown> => {
  if (response.status !== 403 && response.status !== 404) return readJson(response)
  await response.body?.cancel()
  return []
}

const identify = (user: unknown, emails: unknown): UpstreamIdentity => {
  const told = person.parse(user)
  const primary = addresses.parse(emails).find(one => one.primary && one.verified)
  const address = primary && emailOf(primary)
  const email = address !== undefined && noReply.test(address) ? undefined : address
  return {
    subject: String(told.id),
    ...(email === undefined ? {} : { email }),
    isEmailVerified: email !== undefined,
    ...profileOf({ name: told.name, picture: told.avatar_url }, { name: told.login }),
    ...claimsOf({ login: told.login, name: told.name ?? undefined, html_url: told.html_url ?? undefined }),
  }
}

// A question about a token that is none: who may ask is told that it is not found, who may not that they may not.
const testCredentials = async (fetch: typeof globalThis.fetch, { origin, client_id: clientId }: GithubSettings, secrets: OidcSecrets): Promise<Finding> => {
  const authorization = `Basic ${Buffer.from(`${clientId}:${secrets.client_secret}`).toString('base64')}`
  const bad = (detail: string): Finding => ({ check: 'credentials', isGood: false, detail })
  try {
    const response = await fetch(`${apiOf(origin)}/applications/${encodeURIComponent(clientId)}/token`, {
      method: 'POST',
      headers: { authorization, accept: 'application/vnd.github+json', 'content-type': 'application/json', 'user-agent': 'Authy2' },
      body: '{"access_token":"gho_0000000000000000000000000000000000"}',
    })
    await response.body?.cancel()
    if (response.status === 404 || response.status === 422) return { check: 'credentials', isGood: true }
    return bad(response.status === 401 ? 'GitHub does not know this client and secret.' : 'GitHub answers what it should not.')
  } catch (cause) {
    return { ...bad('GitHub cannot be asked.'), cause }
  }
}

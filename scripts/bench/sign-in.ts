// Walks a browser through the authorization code flow: redirects and forms until the code, then the token endpoint.
import { createHash, randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { Answer, Browser } from './browser.ts'
import { fillForm } from './forms.ts'

/** Paths of the endpoints, from discovery; empty where there is none. */
export interface Endpoints {
  readonly jwks: string
  readonly authorization: string
  readonly token: string
  readonly userinfo: string
  readonly introspection: string
  readonly endSession: string
}

/** An application to which people sign in; its client authenticates by `client_secret_basic`. */
export interface Application {
  readonly id: string
  readonly secret: string
  readonly redirectUri: string
}

/** Where people sign in, and to what. */
export interface SignInGround {
  readonly endpoints: Endpoints
  readonly application: Application
}

export const tokensSchema = z.object({ access_token: z.string(), refresh_token: z.string().optional(), id_token: z.string().optional() })
export type Tokens = z.infer<typeof tokensSchema>

const metadataSchema = z.object({
  jwks_uri: z.url(),
  authorization_endpoint: z.url(),
  token_endpoint: z.url(),
  userinfo_endpoint: z.url().optional(),
  introspection_endpoint: z.url().optional(),
  end_session_endpoint: z.url().optional(),
})

/** The value of an Authorization header for `client_secret_basic`. */
export function basicAuthorization({ id, secret }: { id: string; secret: string }): string {
  return `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
}

/** Reads the metadata at `discovery`. Throws where an endpoint is of another origin than the connection. */
export async function discover(browser: Browser, discovery: string): Promise<Endpoints> {
  const metadata = metadataSchema.parse(JSON.parse(expect200(await browser.get(discovery)).body))
  const path = (url: string | undefined) => {
    if (url === undefined) return ''
    const { origin, pathname, search } = new URL(url)
    if (origin !== browser.url.origin) throw new Error(`${url} is of another origin than ${browser.url.origin}`)
    return pathname + search
  }
  return {
    jwks: path(metadata.jwks_uri),
    authorization: path(metadata.authorization_endpoint),
    token: path(metadata.token_endpoint),
    userinfo: path(metadata.userinfo_endpoint),
    introspection: path(metadata.introspection_endpoint),
    endSession: path(metadata.end_session_endpoint),
  }
}

/** Signs in, or uses the session there is, and redeems the code. PKCE always. */
export async function codeFlow(browser: Browser, ground: SignInGround, { scope, prompt }: { scope: string; prompt?: string }): Promise<Tokens> {
  const { endpoints, application } = ground
  const verifier = randomBytes(32).toString('base64url')
  const query = new URLSearchParams({
    client_id: application.id,
    redirect_uri: application.redirectUri,
    response_type: 'code',
    scope,
    state: randomBytes(16).toString('base64url'),
    nonce: randomBytes(16).toString('base64url'),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  })
  if (prompt !== undefined) query.set('prompt', prompt)
  const code = await follow(browser, `${endpoints.authorization}?${query}`, application)
  const form = new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: application.redirectUri, code_verifier: verifier })
  return tokenRequest(browser, ground, form)
}

/** Redeems a refresh token. */
export function refresh(browser: Browser, ground: SignInGround, refreshToken: string): Promise<Tokens> {
  return tokenRequest(browser, ground, new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken }))
}

/** Throws, with the start of the body, unless the answer is a 200. */
export function expect200(answer: Answer): Answer {
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body.replace(/\s+/g, ' ').slice(0, 160)}`)
  return answer
}

async function tokenRequest(browser: Browser, { endpoints, application }: SignInGround, form: URLSearchParams): Promise<Tokens> {
  const answer = expect200(await browser.post(endpoints.token, form.toString(), { authorization: basicAuthorization(application) }))
  return tokensSchema.parse(JSON.parse(answer.body))
}

async function follow(browser: Browser, start: string, { redirectUri }: Application): Promise<string> {
  const { user, address } = browser.visitor
  const answers = { ...user, decision: 'allow' }
  let path = start
  let answer = await browser.get(path)
  for (let step = 0; step < 16; step += 1) {
    if (answer.location !== undefined) {
      const location = new URL(answer.location, new URL(path, browser.url))
      if (location.href.startsWith(redirectUri)) return codeOf(location)
      path = location.pathname + location.search
      answer = await browser.get(path)
      continue
    }
    const form = fillForm(expect200(answer).body, answers)
    if (!form) throw new Error(`no form to answer at ${path.split('?')[0]}`)
    const action = new URL(form.action, new URL(path, browser.url))
    path = action.pathname + action.search
    answer = await browser.post(path, form.body.toString(), { origin: browser.url.origin, 'x-forwarded-for': address })
  }
  throw new Error('the sign-in does not end')
}

function codeOf(location: URL): string {
  const code = location.searchParams.get('code')
  if (code === null) throw new Error(`no code but ${location.searchParams.get('error')}: ${location.searchParams.get('error_description')}`)
  return code
}

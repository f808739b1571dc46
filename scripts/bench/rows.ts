// What is measured: each row makes one task a connection for a server.
import { z } from 'zod'
import { resources, service } from './demo-data.ts'
import type { Task } from './load.ts'
import { signOuts } from './logout.ts'
import { basicAuthorization, codeFlow, expect200, refresh, type Tokens, tokensSchema } from './sign-in.ts'
import { type SignedInBrowser, type Target, userScope } from './target.ts'

export interface Row {
  readonly name: string
  readonly title: string
  /** How many times longer than the others it runs; 1 unless told. */
  readonly weight?: number
  /** Set where preparing has warmed the servers up already. */
  readonly isWarm?: boolean
  prepare(target: Target): Promise<readonly Task[]> | readonly Task[]
}

const authorization = basicAuthorization(service)
const headerSchema = z.object({ alg: z.string() })
const introspectionSchema = z.object({ active: z.literal(true) })

const get =
  (path: (target: Target) => string) =>
  (target: Target): Task[] =>
    target.browsers.map(browser => async () => void expect200(await browser.get(path(target))))

function clientCredentials(algorithm?: keyof typeof resources): Row['prepare'] {
  const form = new URLSearchParams({ grant_type: 'client_credentials' })
  if (algorithm) form.set('scope', 'read')
  if (algorithm) form.set('resource', resources[algorithm])
  const body = form.toString()
  return async target => {
    verifyAlgorithm(await serviceToken(target, body), algorithm)
    return target.browsers.map(browser => async () => void expect200(await browser.post(target.endpoints.token, body, { authorization })))
  }
}

async function introspection(target: Target): Promise<Task[]> {
  const { introspection: path } = target.endpoints
  return Promise.all(
    target.browsers.map(async browser => {
      const body = new URLSearchParams({ token: await serviceToken(target, 'grant_type=client_credentials') }).toString()
      const ask = async () => expect200(await browser.post(path, body, { authorization }))
      introspectionSchema.parse(JSON.parse((await ask()).body))
      return async () => void (await ask())
    }),
  )
}

async function userinfo(target: Target): Promise<Task[]> {
  const signedIn = await target.signedIn()
  return signedIn.map(({ browser, tokens }) => {
    const headers = { authorization: `Bearer ${tokens.access_token}` }
    return async () => void expect200(await browser.get(target.endpoints.userinfo, headers))
  })
}

async function refreshChains(target: Target): Promise<Task[]> {
  const signedIn = await target.signedIn()
  return Promise.all(signedIn.map(async ({ browser }) => refreshChain(target, browser, await offlineTokens(target, browser))))
}

function refreshChain(target: Target, browser: SignedInBrowser['browser'], { refresh_token: first }: Tokens): Task {
  let current = first
  return async () => {
    if (current === undefined) throw new Error('no refresh token was issued')
    current = (await refresh(browser, target.endpoints, current)).refresh_token ?? current
  }
}

/** OIDC Core §11: offline_access may need prompt=consent; it is asked for only where nothing comes without. */
async function offlineTokens({ endpoints }: Target, browser: SignedInBrowser['browser']): Promise<Tokens> {
  const scope = `${userScope} offline_access`
  const tokens = await codeFlow(browser, endpoints, { scope })
  return tokens.refresh_token === undefined ? codeFlow(browser, endpoints, { scope, prompt: 'consent' }) : tokens
}

async function silentCode(target: Target): Promise<Task[]> {
  const signedIn = await target.signedIn()
  return signedIn.map(
    ({ browser }) =>
      async () =>
        void (await codeFlow(browser, target.endpoints, { scope: userScope, prompt: 'none' })),
  )
}

function passwordSignIn(target: Target): Task[] {
  return target.browsers.map(target.open).map(browser => async () => {
    browser.forget()
    await codeFlow(browser, target.endpoints, { scope: userScope })
  })
}

async function serviceToken({ browsers: [browser], endpoints }: Target, body: string): Promise<string> {
  if (!browser) throw new Error('no connection')
  return tokensSchema.parse(JSON.parse(expect200(await browser.post(endpoints.token, body, { authorization })).body)).access_token
}

function verifyAlgorithm(token: string, expected: string | undefined): void {
  const [header = '', payload] = token.split('.')
  const actual = payload === undefined ? undefined : headerSchema.parse(JSON.parse(Buffer.from(header, 'base64url').toString())).alg
  if (actual !== expected) throw new Error(`the access token is ${actual ?? 'opaque'}, not ${expected ?? 'opaque'}`)
}

/** The rows, in the order in which they run; `start-up` is measured apart. */
export const rows: readonly Row[] = [
  { name: 'discovery', title: 'Discovery', prepare: get(() => '/.well-known/openid-configuration') },
  { name: 'jwks', title: 'JWKS', prepare: get(({ endpoints }) => endpoints.jwks) },
  { name: 'client-credentials', title: 'Client credentials, opaque', prepare: clientCredentials() },
  { name: 'client-credentials-es256', title: 'Client credentials, ES256 JWT', prepare: clientCredentials('ES256') },
  { name: 'client-credentials-rs256', title: 'Client credentials, RS256 JWT', prepare: clientCredentials('RS256') },
  { name: 'introspection', title: 'Introspection', prepare: introspection },
  { name: 'userinfo', title: 'Userinfo', prepare: userinfo },
  { name: 'refresh', title: 'Refresh with rotation', prepare: refreshChains },
  { name: 'silent-code', title: 'Silent authorize + code exchange', prepare: silentCode },
  { name: 'password', title: 'Password sign-in + code exchange', weight: 3, isWarm: true, prepare: passwordSignIn },
  {
    name: 'logout',
    title: 'Logout with a dead relying party (p50, p99: signing out alone; the rest with its sign-in)',
    weight: 3,
    isWarm: true,
    prepare: signOuts,
  },
]

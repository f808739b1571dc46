// What is measured: each row makes one task a connection for a server.
import { z } from 'zod'
import { resources } from './demo-data.ts'
import type { Task } from './load.ts'
import { signOuts } from './logout.ts'
import { manyClients } from './many-clients.ts'
import { basicAuthorization, codeFlow, expect200, refresh, type Tokens, tokensSchema } from './sign-in.ts'
import { type SignedInBrowser, type Target, userScope } from './target.ts'

export interface Row {
  readonly name: string
  readonly title: string
  /** How many times longer than the others it runs; 1 unless told. */
  readonly weight?: number
  /** Set where the rows before have warmed our servers up already. */
  readonly isWarm?: boolean
  readonly prepare: (target: Target) => Promise<readonly Task[]> | readonly Task[]
  /** The least ratio to the engine that is aimed at, by server. */
  readonly wanted?: Readonly<Record<string, number>>
  /** Set where every provider can be asked the same, by a client or by people who sign in. */
  readonly forPeers?: 'client' | 'people'
  /** Set where the database must have been filled for it. */
  readonly isFilled?: boolean
  /** The least that one request of its kind can cost, asked of Koa alone. */
  readonly floor: Row['prepare']
}

const authorizationOf = ({ service }: Target) => basicAuthorization(service)
const headerSchema = z.object({ alg: z.string() })
const isActive = /"active"\s*:\s*true/

const get =
  (path: (target: Target) => string) =>
  (target: Target): Task[] =>
    target.browsers.map(browser => async () => void expect200(await browser.get(path(target))))

const bareGet = get(({ endpoints }) => endpoints.userinfo)
const barePost: Row['prepare'] = target => {
  const authorization = authorizationOf(target)
  return target.browsers.map(
    browser => async () => void expect200(await browser.post(target.endpoints.token, 'grant_type=client_credentials', { authorization })),
  )
}

function clientCredentials(algorithm?: keyof typeof resources): Row['prepare'] {
  const grant = { grant_type: 'client_credentials' }
  const ours = new URLSearchParams(algorithm ? { ...grant, scope: 'read', resource: resources[algorithm] } : grant).toString()
  return async target => {
    const authorization = authorizationOf(target)
    // Of what kind its tokens are is a peer's own matter, and says which row it is measured in.
    const body = target.isPeer ? new URLSearchParams(grant).toString() : ours
    verifyAlgorithm(await serviceToken(target, body), algorithm)
    const asked = askedOf(target, body)
    return target.browsers.map(browser => async () => void expect200(await browser.post(target.endpoints.token, asked, { authorization })))
  }
}

async function credentialsOfMany(target: Target): Promise<Task[]> {
  const authorizations = manyClients.map(basicAuthorization)
  let turn = 0
  return target.browsers.map(browser => async () => {
    turn = (turn + 1) % authorizations.length
    expect200(await browser.post(target.endpoints.token, 'grant_type=client_credentials', { authorization: authorizations[turn] ?? '' }))
  })
}

async function introspection(target: Target): Promise<Task[]> {
  const { introspection: path } = target.endpoints
  if (path === '') throw new Error('its discovery names no introspection endpoint')
  const authorization = authorizationOf(target)
  return Promise.all(
    target.browsers.map(async browser => {
      const body = new URLSearchParams({ token: await serviceToken(target, 'grant_type=client_credentials') }).toString()
      const ask = async () => {
        const answer = expect200(await browser.post(path, body, { authorization }))
        // One that is no more is told of sooner than one that is.
        if (!isActive.test(answer.body)) throw new Error(`the token is not active: ${answer.body.slice(0, 160)}`)
      }
      await ask()
      return ask
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
    current = (await refresh(browser, target, current)).refresh_token ?? current
  }
}

/** OIDC Core §11: offline_access may need prompt=consent; it is asked for only where nothing comes without. */
async function offlineTokens(target: Target, browser: SignedInBrowser['browser']): Promise<Tokens> {
  const scope = `${userScope} offline_access`
  const tokens = await codeFlow(browser, target, { scope })
  return tokens.refresh_token === undefined ? codeFlow(browser, target, { scope, prompt: 'consent' }) : tokens
}

async function silentCode(target: Target): Promise<Task[]> {
  const signedIn = await target.signedIn()
  return signedIn.map(
    ({ browser }) =>
      async () =>
        void (await codeFlow(browser, target, { scope: userScope, prompt: 'none' })),
  )
}

function passwordSignIn(target: Target): Task[] {
  return target.browsers.map(target.open).map(browser => async () => {
    browser.forget()
    await codeFlow(browser, target, { scope: userScope })
  })
}

async function serviceToken(target: Target, body: string): Promise<string> {
  const [browser] = target.browsers
  if (!browser) throw new Error('no connection')
  const answer = await browser.post(target.endpoints.token, askedOf(target, body), { authorization: authorizationOf(target) })
  return tokensSchema.parse(JSON.parse(expect200(answer).body)).access_token
}

const askedOf = ({ form }: Target, body: string) => (form === '' ? body : `${body}&${form}`)

function verifyAlgorithm(token: string, expected: string | undefined): void {
  const [header = '', payload] = token.split('.')
  const actual = payload === undefined ? undefined : headerSchema.parse(JSON.parse(Buffer.from(header, 'base64url').toString())).alg
  if (actual !== expected) throw new Error(`the access token is ${actual ?? 'opaque'}, not ${expected ?? 'opaque'}`)
}

const wanted = (redis: number, postgresql: number, embedded: number) => ({ 'PostgreSQL + Redis': redis, PostgreSQL: postgresql, Embedded: embedded })

/** A row by its name. Throws where there is none. */
export function findRow(name: string): Row {
  const row = rows.find(one => one.name === name)
  if (!row) throw new Error(`there is no row ${name}`)
  return row
}

/** The rows, in the order in which they run; `start-up` is measured apart. */
export const rows: readonly Row[] = [
  { name: 'discovery', title: 'Discovery', prepare: get(({ discovery }) => discovery), floor: bareGet, forPeers: 'client', wanted: wanted(2, 2, 2) },
  { name: 'jwks', title: 'JWKS', prepare: get(({ endpoints }) => endpoints.jwks), floor: bareGet, forPeers: 'client', wanted: wanted(2, 2, 2) },
  {
    name: 'client-credentials',
    title: 'Client credentials, opaque',
    prepare: clientCredentials(),
    floor: barePost,
    forPeers: 'client',
    wanted: wanted(0.9, 0.85, 0.5),
  },
  {
    name: 'client-credentials-many',
    title: 'Client credentials, opaque, of 1,000 clients in turn',
    prepare: credentialsOfMany,
    floor: barePost,
    isFilled: true,
  },
  {
    name: 'client-credentials-es256',
    title: 'Client credentials, ES256 JWT',
    prepare: clientCredentials('ES256'),
    floor: barePost,
    forPeers: 'client',
    wanted: wanted(1, 0.95, 0.8),
  },
  { name: 'client-credentials-rs256', title: 'Client credentials, RS256 JWT', prepare: clientCredentials('RS256'), floor: barePost, forPeers: 'client' },
  { name: 'introspection', title: 'Introspection', prepare: introspection, floor: barePost, forPeers: 'client', wanted: wanted(0.95, 0.9, 0.7) },
  { name: 'userinfo', title: 'Userinfo', prepare: userinfo, floor: bareGet, forPeers: 'people', wanted: wanted(0.9, 0.7, 0.35) },
  { name: 'refresh', title: 'Refresh with rotation', prepare: refreshChains, floor: barePost, forPeers: 'people', wanted: wanted(0.75, 0.65, 0.4) },
  { name: 'silent-code', title: 'Silent authorize + code exchange', prepare: silentCode, floor: barePost, forPeers: 'people', wanted: wanted(0.9, 0.75, 0.5) },
  { name: 'password', title: 'Password sign-in + code exchange', weight: 3, prepare: passwordSignIn, floor: barePost, forPeers: 'people' },
  {
    name: 'logout',
    title: 'Logout with a dead relying party (p50, p99: signing out alone; the rest with its sign-in)',
    weight: 3,
    isWarm: true,
    prepare: signOuts,
    floor: barePost,
  },
]

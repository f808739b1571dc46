// A real OpenID provider for us to be a client of: oidc-provider, which says of each person what the test says, truthfully or not.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { createPerson, type Person } from '../person.ts'
import { type Forging, forgeIdToken, forgeUserinfo } from './forge.ts'
import { type Alg, type AuthMethod, createProvider, makeKey, secrets } from './provider.ts'
import { askWho, personHeader } from './sign-in-page.ts'
import { walk } from './world.ts'

/** Who signs in there, and what is said of them. */
export interface UpstreamPerson extends Forging {
  /** Random when not given. */
  readonly sub?: string
  /** In the ID token and in userinfo. */
  readonly claims?: Readonly<Record<string, unknown>>
}

/** What the provider is like. */
export interface UpstreamGiven {
  /** Told as its own where it stands in for a provider of the world, which `throughWorld` leads here; else where it listens. */
  readonly issuer?: string
  /** Said of itself over what it would say; `undefined` leaves it unsaid. */
  readonly metadata?: Readonly<Record<string, unknown>>
  /** What is said of everybody, under what is said of each. */
  readonly person?: UpstreamPerson
  /** What its ID tokens are signed by. */
  readonly alg?: Alg
  /** How its clients authenticate, as they were registered; by the default of registrations unless told otherwise. */
  readonly authMethod?: AuthMethod
  /** Whether it adds `iss` to its answers (RFC 9207). */
  readonly isIssuerTold?: boolean
}

/** A provider that is running. */
export type Upstream = Awaited<ReturnType<typeof startUpstream>>

/** Starts one, with the clients `authy2` and `other`, that send people back wherever they are asked to. */
export async function startUpstream(given: UpstreamGiven = {}) {
  const people = new Map<string, UpstreamPerson>()
  const server = createServer()
  server.listen(0, 'localhost')
  await once(server, 'listening')
  const local = `http://localhost:${(server.address() as AddressInfo).port}`
  const issuer = given.issuer ?? local
  const { origin } = new URL(issuer)
  const authMethod = given.authMethod ?? 'client_secret_basic'
  const isIssuerTold = given.isIssuerTold ?? true
  const metadata: Record<string, unknown> = {
    ...(isIssuerTold ? {} : { authorization_response_iss_parameter_supported: undefined }),
    id_token_signing_alg_values_supported: [given.alg ?? 'RS256'],
    ...given.metadata,
  }
  const keys = [makeKey('first', given.alg)]

  const open = () => {
    const provider = createProvider(issuer, { keys, authMethod })
    provider.use(askWho(provider, people))
    provider.use(async (ctx: KoaContextWithOIDC, next) => {
      await next()
      if (ctx.oidc?.route === 'token') holdToMethod(ctx, authMethod)
      if (!isIssuerTold) leaveOutIssuer(ctx)
      if (ctx.oidc?.route === 'token' && ctx.status === 200 && typeof ctx.body === 'object') await forgeIdToken(ctx, told, keys, secrets)
      if (ctx.oidc?.route === 'userinfo' && ctx.status === 200) forgeUserinfo(ctx, told)
      if (ctx.oidc?.route === 'discovery') ctx.body = { ...(ctx.body as object), ...metadata }
    })
    return provider.callback()
  }
  const told = (accountId: string): UpstreamPerson => {
    const one = people.get(accountId) ?? {}
    const over = given.person ?? {}
    const idToken = { ...over.idToken, ...one.idToken }
    return { sub: accountId, ...over, ...one, claims: { ...over.claims, ...one.claims }, idToken, userinfo: { ...over.userinfo, ...one.userinfo } }
  }
  let handle = open()
  let held: Promise<void> | undefined
  const requests: string[] = []
  server.on('request', async (request, response) => {
    requests.push(`${request.method} ${request.url?.split('?')[0]}`)
    if (request.url === '/token') await held
    // A provider with paths in its issuer: its documents stand below it, its endpoints do not.
    if (request.url?.endsWith('/.well-known/openid-configuration')) request.url = '/.well-known/openid-configuration'
    void handle(request, response)
  })

  const upstream = {
    issuer,
    origins: [origin],
    local,
    client_id: 'authy2',
    client_secret: secrets.first,
    other: { client_id: 'other', client_secret: secrets.other },
    /** What it was asked so far: method and path. */
    requests,
    /** Signs somebody in, from the address we sent the browser to; answers the callback the browser is sent to. */
    signIn: (url: URL | string, who: UpstreamPerson = {}, browser: Person = createPerson()): Promise<URL> => {
      const accountId = randomUUID()
      people.set(accountId, who)
      return walk({ url: new URL(url), world: [upstream], browser, headers: { [personHeader]: accountId } })
    },
    /** Somebody says no. */
    refuse: (url: URL | string, browser: Person = createPerson()): Promise<URL> =>
      walk({ url: new URL(url), world: [upstream], browser, headers: { [personHeader]: 'nobody' } }),
    /** Gives nobody tokens until what it answers is called. */
    hold: () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      held = promise
      return resolve
    },
    /** Makes new keys and forgets the old ones. */
    rotateKeys: () => {
      keys.splice(0, keys.length, makeKey(randomUUID(), given.alg))
      handle = open()
    },
    close: async () => {
      server.close()
      server.closeAllConnections()
    },
  }
  return upstream
}

// The library takes a secret wherever it stands; others, such as Ory Hydra, do not.
const holdToMethod = (ctx: KoaContextWithOIDC, authMethod: AuthMethod): void => {
  if (ctx.get('authorization').startsWith('Basic ') === (authMethod === 'client_secret_basic')) return
  ctx.status = 401
  ctx.body = { error: 'invalid_client' }
}

const leaveOutIssuer = (ctx: KoaContextWithOIDC): void => {
  const location = ctx.response.get('location')
  if (!URL.canParse(location)) return
  const back = new URL(location)
  back.searchParams.delete('iss')
  ctx.set('location', back.href)
}

// The relying party of the OpenID Foundation's conformance suite, as far as its modules need it: requests made by hand, and its conditions.
import { randomBytes } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import type { JWTPayload } from 'jose'
import { z } from 'zod'
import { plantTokens } from '../support/canaries.ts'
import { makeClient, type TestClient } from '../support/clients.ts'
import { type Answer, createPerson, type Person } from '../support/person.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'
import { entered } from './browser.ts'
import { verifyIdToken, verifyTokenAnswer } from './conditions.ts'

/** Each module of a plan by its public name. */
export type Modules = Readonly<Record<string, (t: ExecutionContext, suite: Suite) => Promise<unknown>>>

/** What the suite is configured with: a server, two clients, a person, and how answers come back. */
export type Suite = Awaited<ReturnType<typeof startSuite>>

/** What came back to the client, and which pages the person saw on the way. */
export interface Callback {
  readonly parameters: URLSearchParams | undefined
  readonly pages: readonly Answer[]
  readonly sent: URLSearchParams
}

/** The tokens of a flow that went well. */
export interface Tokens {
  readonly answer: Record<string, unknown>
  readonly accessToken: string
  readonly claims: JWTPayload
}

export const redirectUri = 'http://localhost:4000/callback'
const metadataSchema = z.looseObject({
  issuer: z.string(),
  authorization_endpoint: z.url(),
  token_endpoint: z.url(),
  userinfo_endpoint: z.url(),
  jwks_uri: z.url(),
  end_session_endpoint: z.url(),
  scopes_supported: z.array(z.string()),
})

/** Starts it, with a server of its own unless one is given; `form_post` asks for every answer in that mode. */
export async function startSuite({ responseMode, server: given }: { responseMode?: 'form_post'; server?: TestServer } = {}) {
  const server = given ?? (await startServer())
  const metadata = metadataSchema.parse(await (await fetch(`${server.issuer}/.well-known/openid-configuration`)).json())
  const [first, second, user] = [await makeStatic(server), await makeStatic(server), await makeUser(server)]

  /** Walks a browser through an authorization request, signing in and consenting wherever it is asked. */
  const authorize = async (
    t: ExecutionContext,
    { client = first, person = createPerson(), parameters = {}, method = 'GET' }: Partial<Flow> = {},
  ): Promise<Callback> => {
    const sent = new URLSearchParams({
      client_id: client.clientId,
      redirect_uri: redirectUri,
      scope: 'openid',
      response_type: 'code',
      state: randomBytes(10).toString('hex'),
      nonce: randomBytes(10).toString('hex'),
      ...(responseMode ? { response_mode: responseMode } : {}),
    })
    for (const [name, value] of Object.entries(parameters)) value === undefined ? sent.delete(name) : sent.set(name, value)
    const address = new URL(metadata.authorization_endpoint)
    const start = method === 'POST' ? person.post(address, sent, { origin: 'http://localhost:4000' }) : person.get(`${address.href}?${sent}`)
    const walked = await entered(person, await start, { user, redirectUri })
    if (walked.parameters) t.is(walked.isForm, sent.get('response_mode') === 'form_post', 'the answer came in another response mode')
    return { ...walked, sent }
  }

  /** Asks the token endpoint as `client_secret_basic`. */
  const token = (form: Record<string, string>, client: TestClient = first) =>
    fetch(metadata.token_endpoint, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${client.clientId}:${client.secret}`).toString('base64')}` },
      body: new URLSearchParams(form),
    })

  /** Redeems the code of a callback and checks all that the suite checks of tokens. */
  const redeem = async (
    t: ExecutionContext,
    { parameters, sent }: Callback,
    { client = first, verifier, ask = token }: { client?: TestClient; verifier?: string; ask?: typeof token } = {},
  ): Promise<Tokens> => {
    verifyCallback(t, { parameters, sent })
    const code = parameters?.get('code') ?? ''
    const form = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, ...(verifier ? { code_verifier: verifier } : {}) }
    const answer = await verifyTokenAnswer(t, await ask(form, client))
    plantTokens({ ...answer, code })
    const claims = await verifyIdToken(t, String(answer.id_token), { metadata, clientId: client.clientId, nonce: sent.get('nonce') })
    return { answer, claims, accessToken: String(answer.access_token) }
  }

  // RFC 6749 §4.1.2, RFC 9207 §2.4.
  const verifyCallback = (t: ExecutionContext, { parameters, sent }: Pick<Callback, 'parameters' | 'sent'>) => {
    t.is(parameters?.get('error') ?? null, null, parameters?.get('error_description') ?? '')
    t.is(parameters?.get('state'), sent.get('state'))
    t.is(parameters?.get('iss'), metadata.issuer)
    t.deepEqual([...(parameters?.keys() ?? [])].sort(), ['code', 'iss', 'state'])
  }

  /** A whole flow. */
  const flow = async (t: ExecutionContext, given: Partial<Flow> & { verifier?: string; ask?: typeof token } = {}) => {
    const { person = createPerson() } = given
    const callback = await authorize(t, { ...given, person })
    return { ...callback, person, ...(await redeem(t, callback, given)) }
  }

  return { server, metadata, first, second, user, responseMode, authorize, redeem, flow, token, close: server.close }
}

interface Flow {
  readonly client: TestClient
  readonly person: Person
  readonly parameters: Readonly<Record<string, string | undefined>>
  readonly method: 'GET' | 'POST'
}

/** A client as the plans ask for one: with consent, and not held to PKCE, which the suite uses in one module alone. */
export const makeStatic = (server: TestServer, made: Parameters<typeof makeClient>[1] = {}) =>
  makeClient(server, { isFirstParty: false, isPkceRequired: false, ...made })

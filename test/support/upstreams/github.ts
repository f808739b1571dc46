// GitHub as its documents say it answers: OAuth 2.0 with PKCE, errors under status 200, the person and their addresses from its API.
import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { plant } from '../canaries.ts'
import { createPerson } from '../person.ts'
import { readForm } from './form.ts'
import { personHeader } from './sign-in-page.ts'
import { walk } from './world.ts'

/** Who signs in there: their own shape, bent as a test wishes. */
export interface GithubPerson {
  readonly user?: Readonly<Record<string, unknown>>
  readonly emails?: unknown
  /** Other statuses than 200. */
  readonly userStatus?: number
  readonly emailsStatus?: number
  /** Over the answer of the token endpoint. */
  readonly tokens?: Readonly<Record<string, unknown>>
}

/** A GitHub that is running. */
export type Github = Awaited<ReturnType<typeof startGithub>>

const clientId = 'Iv1.authy2'
const clientSecret = plant('the-secret-of-the-github-app')

/** Starts it; it stands in for github.com and is at the same time a server of GitHub Enterprise. */
export async function startGithub() {
  const people = new Map<string, GithubPerson>()
  const codes = new Map<string, { readonly person: string; readonly query: URLSearchParams }>()
  const server = createServer()
  server.listen(0, 'localhost')
  await once(server, 'listening')
  const local = `http://localhost:${(server.address() as AddressInfo).port}`

  const askedAt = ({ headers }: IncomingMessage) => (headers['x-forwarded-host'] ? `${headers['x-forwarded-proto']}://${headers['x-forwarded-host']}` : local)
  const authorize = (url: URL, request: IncomingMessage, response: ServerResponse) => {
    const person = String(request.headers[personHeader] ?? '')
    const back = new URL(url.searchParams.get('redirect_uri') ?? '')
    const code = randomUUID()
    if (person === 'nobody') back.searchParams.set('error', 'access_denied')
    else back.searchParams.set('code', code)
    back.searchParams.set('state', url.searchParams.get('state') ?? '')
    // Since April 2026 it says who answers (RFC 9207).
    back.searchParams.set('iss', `${askedAt(request)}/login/oauth`)
    codes.set(code, { person, query: url.searchParams })
    response.writeHead(302, { location: back.href }).end()
  }
  const redeem = async (request: IncomingMessage, response: ServerResponse) => {
    const form = await readForm(request)
    const code = form.get('code') ?? ''
    const known = codes.get(code)
    codes.delete(code)
    if (form.get('client_id') !== clientId || form.get('client_secret') !== clientSecret) return tell(response, 200, { error: 'incorrect_client_credentials' })
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    const isGood = known?.query.get('code_challenge') === challenge && known.query.get('redirect_uri') === form.get('redirect_uri')
    if (!known || !isGood) return tell(response, 200, { error: 'bad_verification_code', error_description: 'The code passed is incorrect or expired.' })
    return tell(response, 200, {
      access_token: plant(`gho_${known.person}`),
      token_type: 'bearer',
      scope: 'read:user,user:email',
      ...people.get(known.person)?.tokens,
    })
  }
  const read = (path: string, request: IncomingMessage, response: ServerResponse) => {
    const person = people.get(/^Bearer gho_(.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '')
    if (!person) return tell(response, 401, { message: 'Bad credentials' })
    if (path === '/user') return tell(response, person.userStatus ?? 200, { ...octocat, ...person.user })
    return tell(
      response,
      person.emailsStatus ?? 200,
      person.emails ?? [{ email: 'octocat@github.example', primary: true, verified: true, visibility: 'public' }],
    )
  }
  const check = (request: IncomingMessage, response: ServerResponse) => {
    const isOurs = request.headers.authorization === `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`
    return tell(response, isOurs ? 404 : 401, { message: isOurs ? 'Not Found' : 'Bad credentials' })
  }
  server.on('request', (request, response) => {
    const url = new URL(request.url ?? '/', local)
    const path = url.pathname.replace(/^\/api\/v3/, '')
    if (path === '/login/oauth/authorize') return authorize(url, request, response)
    if (path === '/login/oauth/access_token') return redeem(request, response)
    if (path === '/user' || path === '/user/emails') return read(path, request, response)
    if (path === `/applications/${clientId}/token`) return check(request, response)
    return tell(response, 404, { message: 'Not Found' })
  })

  const standing = { origins: ['https://github.com', 'https://api.github.com'], local }
  return {
    ...standing,
    client_id: clientId,
    client_secret: clientSecret,
    /** Signs somebody in, from the address we sent the browser to; answers the callback the browser is sent to. */
    signIn: (url: URL | string, who: GithubPerson = {}): Promise<URL> => {
      const person = randomUUID()
      people.set(person, who)
      return walk({ url: new URL(url), world: [standing], browser: createPerson(), headers: { [personHeader]: person } })
    },
    /** Somebody says no. */
    refuse: (url: URL | string): Promise<URL> => walk({ url: new URL(url), world: [standing], browser: createPerson(), headers: { [personHeader]: 'nobody' } }),
    close: async () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

const octocat = { login: 'octocat', id: 583_231, type: 'User', name: 'The Octocat', avatar_url: 'https://avatars.example/u/583231', email: null }

const tell = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body))
}

// Our API as a protected resource: its metadata (RFC 9728), and what its refusals tell a client (RFC 6750 §3).
import test from 'ava'
import * as oauth from 'oauth4webapi'
import * as client from 'openid-client'
import { startApi, type TestApi } from '../support/api.ts'
import { makeClient } from '../support/clients.ts'
import { createPerson } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { makeUser } from '../support/users.ts'

let api: TestApi
test.before(async () => {
  api = await startApi()
})
test.after.always(() => api?.close())

const resource = () => `${api.server.issuer}/api/v1`
const document = () => `${api.server.issuer}/.well-known/oauth-protected-resource/api/v1`
const challengeOf = async (path: string, headers: Record<string, string> = {}) => {
  const response = await fetch(`${resource()}${path}`, { headers })
  const told = response.headers.get('www-authenticate') ?? ''
  return { status: response.status, told, parameters: Object.fromEntries([...told.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value])) }
}
const tokenWith = async (scope: string) => {
  const app = await makeClient(api.server)
  const made = await app.request({ scope: `openid ${scope}`, resource: resource() })
  const back = await createPerson().authorize(made.url, { ...(await makeUser(api.server)), redirectUri })
  return (await client.authorizationCodeGrant(app.configuration, back, made.checks)).access_token
}

test('a library finds the authorization server of our API by its address (RFC 9728 §3)', async t => {
  const url = new URL(resource())
  const found = await oauth.processResourceDiscoveryResponse(url, await oauth.resourceDiscoveryRequest(url, { [oauth.allowInsecureRequests]: true }))
  t.like(found, { resource: resource(), authorization_servers: [api.server.issuer], bearer_methods_supported: ['header'] })
  t.true(found.scopes_supported?.includes('resource_servers:write'))
})

test('the document is for pages of any origin, and for GET alone', async t => {
  const answer = await fetch(document(), { headers: { origin: 'https://app.example' } })
  t.is(answer.headers.get('access-control-allow-origin'), '*')
  t.regex(answer.headers.get('content-type') ?? '', /^application\/json/)
  t.is((await fetch(document(), { method: 'POST' })).status, 405)
  t.is((await fetch(`${api.server.issuer}/.well-known/oauth-protected-resource/api/v2`)).status, 404)
})

test('who sends no token is told where to begin, and no error (RFC 9728 §5.1, RFC 6750 §3)', async t => {
  for (const headers of [{}, { authorization: 'Basic YTpi' }] as Record<string, string>[]) {
    const { status, told, parameters } = await challengeOf('/users', headers)
    t.is(status, 401)
    t.true(told.startsWith('Bearer '))
    t.is(parameters.resource_metadata, document())
    t.false('error' in parameters)
  }
})

test('a token that is wrong is invalid_token (RFC 6750 §3.1)', async t => {
  for (const token of ['garbage', 'a.b.c', (await tokenWith('users:read')).slice(0, -3)]) {
    const { status, parameters } = await challengeOf('/users', { authorization: `Bearer ${token}` })
    t.is(status, 401)
    t.like(parameters, { error: 'invalid_token', resource_metadata: document() })
  }
})

test('a token without the scope of an operation is insufficient_scope, with the scope that it needs (RFC 6750 §3.1)', async t => {
  const { status, parameters } = await challengeOf('/users', { authorization: `Bearer ${await tokenWith('clients:read')}` })
  t.is(status, 403)
  t.like(parameters, { error: 'insufficient_scope', scope: 'users:read', resource_metadata: document() })
})

test('whom no scope would help is told of none: a token that has it, a session, a key', async t => {
  const person = await api.signIn()
  for (const token of [await tokenWith('users:read'), person.token]) {
    const { status, told } = await challengeOf('/users', { authorization: `Bearer ${token}` })
    t.is(status, 403)
    t.is(told, '')
  }
})

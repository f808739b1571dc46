// The MCP profile as its clients live it: from a challenge to a tool that is called, without an administrator in between.
import test from 'ava'
import { decodeJwt } from 'jose'
import { systemActor } from '../../src/platform/actor.ts'
import { startDocuments } from '../support/metadata-documents.ts'
import { createPerson } from '../support/person.ts'
import { bob } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { createMcpClient, type McpClientGiven } from './client.ts'
import { type McpServer, startMcpServer } from './resource-server.ts'

let server: TestServer
let documents: Awaited<ReturnType<typeof startDocuments>>
let mcp: McpServer
let unknown: McpServer
test.before(async () => {
  documents = await startDocuments()
  server = await startServer({ world: [documents.standing] })
  mcp = await startMcpServer({ issuer: server.issuer })
  unknown = await startMcpServer({ issuer: server.issuer })
  await server.services.resourceServers.create(systemActor, {
    identifier: mcp.resource,
    name: 'A sample of tools',
    scopes: ['mcp:read', 'mcp:write'],
    tokenFormat: 'jwt',
    signingAlgorithm: 'ES256',
    accessTokenTtlSeconds: 600,
  })
})
test.after.always(async () => {
  mcp?.close()
  unknown?.close()
  await server?.close()
  documents?.close()
})

const loopback = 'http://127.0.0.1:39271/callback'
const clientOf = (given: Partial<McpClientGiven> = {}) => {
  const person = createPerson()
  const redirectUri = given.redirectUri ?? loopback
  const visited: URL[] = []
  const visit = (url: URL) => {
    visited.push(url)
    return person.authorize(url, { ...bob, redirectUri })
  }
  return { ...createMcpClient({ url: mcp.resource, redirectUri, visit, ...given }), visited }
}
const saidTo = async (client: ReturnType<typeof clientOf>, text: string) =>
  ((await client.call('tools/call', { name: 'echo', arguments: { text } })) as { result: { content: { text: string }[] } }).result.content[0]?.text ?? ''

test('a client that nobody registered finds the issuer, is known by its document, and calls a tool with a token for it alone', async t => {
  const document = documents.make()
  const client = clientOf({ documentUrl: document.id })
  await client.connect()
  t.is(client.credentials()?.client_id, document.id)
  const claims = decodeJwt(client.tokens()?.access_token ?? '')
  t.like(claims, { iss: server.issuer, aud: mcp.resource, client_id: document.id, scope: 'mcp:read' })
  // The tool needs more: the client asks for it, and the person is asked again.
  t.regex(await saidTo(client, 'hello'), new RegExp(`^hello \\(${claims.sub}\\)$`))
  t.is(client.visited.length, 2)
  t.is(decodeJwt(client.tokens()?.access_token ?? '').scope, 'mcp:read mcp:write')
  t.truthy(client.tokens()?.refresh_token)
})

test('a client without a document registers itself and does the same', async t => {
  const client = clientOf()
  await client.connect()
  t.is((await server.services.clients.find(client.credentials()?.client_id ?? ''))?.source, 'open')
  t.regex(await saidTo(client, 'hello'), /^hello/)
})

test('a client that an administrator made does the same', async t => {
  const made = { clientId: 'a-known-mcp-client', name: 'Known', authenticationMethod: 'none', grantTypes: ['authorization_code', 'refresh_token'] } as const
  const metadata = { application_type: 'native' }
  await server.services.clients.create(systemActor, { ...made, redirectUris: ['http://127.0.0.1/callback'], metadata })
  const client = clientOf({ registered: { client_id: made.clientId } })
  await client.connect()
  t.regex(await saidTo(client, 'hello'), /^hello/)
})

test('a client that names no scope asks for all that the resource has, and the person sees it', async t => {
  const person = createPerson()
  const document = documents.make()
  const url = new URL(`${server.issuer}/oauth2/authorize`)
  const code_challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
  const parameters = {
    client_id: document.id,
    response_type: 'code',
    redirect_uri: loopback,
    code_challenge,
    code_challenge_method: 'S256',
    resource: mcp.resource,
  }
  url.search = new URLSearchParams(parameters).toString()
  let page = await person.follow(await person.get(url), loopback)
  page = await person.follow(await person.submit(page, { username: bob.email }), loopback)
  page = await person.follow(await person.submit(page, { password: bob.password }), loopback)
  for (const scope of ['mcp:read', 'mcp:write']) t.true(page.body.includes(scope))
  const back = await person.follow(await person.submit(page, { decision: 'allow' }), loopback)
  const code = back.location?.searchParams.get('code') ?? ''
  const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
  const body = new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: loopback, client_id: document.id, code_verifier: verifier })
  const tokens = (await (await fetch(`${server.issuer}/oauth2/token`, { method: 'POST', body })).json()) as { access_token: string }
  t.like(decodeJwt(tokens.access_token), { aud: mcp.resource, scope: 'mcp:read mcp:write' })
})

test('nobody asks for the management API without saying for what', async t => {
  const person = createPerson()
  const url = new URL(`${server.issuer}/oauth2/authorize`)
  const parameters = {
    client_id: documents.make().id,
    response_type: 'code',
    redirect_uri: loopback,
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    resource: `${server.issuer}/api/v1`,
  }
  url.search = new URLSearchParams(parameters).toString()
  const back = await person.authorize(url, { ...bob, redirectUri: loopback })
  t.is(back.searchParams.get('error'), 'invalid_scope')
})

test('a resource that nobody registered is no target', async t => {
  const client = clientOf({ url: unknown.resource, documentUrl: documents.make().id })
  const { message } = (await t.throwsAsync(client.connect())) ?? {}
  t.is(message, 'refused: invalid_target')
})

test('the token of one client and resource opens no other', async t => {
  const client = clientOf({ documentUrl: documents.make().id })
  await client.connect()
  const authorization = `Bearer ${client.tokens()?.access_token}`
  const elsewhere = await fetch(unknown.resource, { method: 'POST', headers: { authorization }, body: '{}' })
  t.is(elsewhere.status, 401)
  const ours = await fetch(`${server.issuer}/api/v1/users`, { headers: { authorization } })
  t.is(ours.status, 401)
})

test('the metadata say all that MCP clients look for, to pages of every origin', async t => {
  for (const path of ['oauth-authorization-server', 'openid-configuration']) {
    const response = await fetch(`${server.issuer}/.well-known/${path}`, { headers: { origin: 'https://inspector.example' } })
    t.is(response.headers.get('access-control-allow-origin'), '*')
    const metadata = (await response.json()) as Record<string, unknown>
    t.like(metadata, {
      issuer: server.issuer,
      registration_endpoint: `${server.issuer}/oauth2/register`,
      code_challenge_methods_supported: ['S256'],
      client_id_metadata_document_supported: true,
      authorization_response_iss_parameter_supported: true,
    })
    for (const grant of ['authorization_code', 'refresh_token']) t.true((metadata.grant_types_supported as string[]).includes(grant))
    t.true((metadata.token_endpoint_auth_methods_supported as string[]).includes('none'))
  }
})

test('a page in a browser reads metadata and redeems its code where its own origin is known, and nowhere else', async t => {
  const headers = { 'access-control-request-method': 'GET', 'access-control-request-headers': 'mcp-protocol-version' }
  const preflight = await fetch(`${server.issuer}/.well-known/oauth-authorization-server`, {
    method: 'OPTIONS',
    headers: { origin: 'https://a.example', ...headers },
  })
  t.is(preflight.status, 204)
  t.regex(preflight.headers.get('access-control-allow-headers') ?? '', /mcp-protocol-version/i)
  const document = documents.make()
  await clientOf({ documentUrl: document.id }).connect()
  for (const [origin, isTaken] of [
    [document.origin, true],
    ['https://elsewhere.example', false],
  ] as const) {
    const body = new URLSearchParams({ grant_type: 'authorization_code', code: 'none', redirect_uri: `${document.origin}/callback`, client_id: document.id })
    const answer = await fetch(`${server.issuer}/oauth2/token`, { method: 'POST', headers: { origin }, body })
    t.is(answer.headers.get('access-control-allow-origin'), isTaken ? origin : null)
    t.is(((await answer.json()) as { error: string }).error, isTaken ? 'invalid_grant' : 'invalid_request')
  }
})

// A small MCP server that is an OAuth resource server: Streamable HTTP with JSON answers, RFC 9728 metadata, tokens verified by the issuer's keys.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRemoteJWKSet, jwtVerify } from 'jose'

/** It is running. */
export type McpServer = Awaited<ReturnType<typeof startMcpServer>>

interface Given {
  readonly issuer: string
  readonly port?: number
}

interface Message {
  readonly id?: number | string
  readonly method?: string
  readonly params?: { readonly name?: string; readonly protocolVersion?: string; readonly arguments?: { readonly text?: string } }
}

const metadataPath = '/.well-known/oauth-protected-resource/mcp'
const tools = [
  { name: 'echo', description: 'Says what it is told.', inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] } },
]

/** Starts it: `mcp:read` to talk to it, `mcp:write` to use its tool. */
export async function startMcpServer({ issuer, port = 0 }: Given) {
  const keys = createRemoteJWKSet(new URL(`${issuer}/oauth2/jwks`))
  const server = createServer()
  server.listen(port, 'localhost')
  await once(server, 'listening')
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`
  const resource = `${origin}/mcp`
  const metadata = { resource, authorization_servers: [issuer], scopes_supported: ['mcp:read', 'mcp:write'], bearer_methods_supported: ['header'] }

  /** What a token lets its bearer do; nothing said of one that is not for us. */
  const scopesOf = async (request: IncomingMessage): Promise<{ subject: string; scopes: readonly string[] } | undefined> => {
    const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
    if (token === undefined) return undefined
    try {
      const { payload } = await jwtVerify(token, keys, { issuer, audience: resource, typ: 'at+jwt', requiredClaims: ['sub', 'client_id', 'exp'] })
      return { subject: String(payload.sub), scopes: String(payload.scope ?? '').split(' ') }
    } catch {
      return undefined
    }
  }
  const challenge = (response: ServerResponse, { status, error, scope }: { status: number; error?: string; scope: string }) => {
    const parts = [...(error ? [`error="${error}"`] : []), `scope="${scope}"`, `resource_metadata="${origin}${metadataPath}"`]
    response.writeHead(status, { 'www-authenticate': `Bearer ${parts.join(', ')}` }).end()
  }

  server.on('request', async (request, response) => {
    if (request.method === 'GET' && request.url === metadataPath) return send(response, metadata)
    if (request.url !== '/mcp') return response.writeHead(404).end()
    const bearer = await scopesOf(request)
    if (!bearer) return challenge(response, { status: 401, error: request.headers.authorization && 'invalid_token', scope: 'mcp:read' })
    if (request.method !== 'POST') return response.writeHead(405).end()
    const message = (await read(request)) as Message
    const needed = message.method === 'tools/call' ? 'mcp:write' : 'mcp:read'
    if (!bearer.scopes.includes(needed)) return challenge(response, { status: 403, error: 'insufficient_scope', scope: 'mcp:read mcp:write' })
    if (message.id === undefined) return response.writeHead(202).end()
    return send(response, { jsonrpc: '2.0', id: message.id, ...answerTo(message, bearer.subject) })
  })
  return {
    resource,
    origin,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

const answerTo = ({ method, params }: Message, subject: string) => {
  switch (method) {
    case 'initialize':
      return { result: { protocolVersion: params?.protocolVersion ?? '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'sample', version: '1' } } }
    case 'tools/list':
      return { result: { tools } }
    case 'tools/call':
      return { result: { content: [{ type: 'text', text: `${params?.arguments?.text} (${subject})` }] } }
    case 'ping':
      return { result: {} }
    default:
      return { error: { code: -32601, message: 'Method not found' } }
  }
}

const send = (response: ServerResponse, body: object) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))

const read = async (request: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString() || '{}')
}

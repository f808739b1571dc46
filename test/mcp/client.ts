// A small MCP client that signs people in as the authorization part of the specification says: discovery, identification, code with PKCE, step-up.
import { createHash, randomBytes } from 'node:crypto'
import { challengeParameter, discover, type ResourceMetadata, type ServerMetadata } from './discovery.ts'

/** How the client is known to authorization servers, and how it sends people there. */
export interface McpClientGiven {
  readonly url: string
  readonly redirectUri: string
  /** The address of its metadata document. */
  readonly documentUrl?: string
  /** Known beforehand. */
  readonly registered?: Credentials
  /** Leads a person to an address; answers where they come back to. */
  readonly visit: (url: URL) => Promise<URL>
}

interface Credentials {
  readonly client_id: string
  readonly client_secret?: string
  readonly token_endpoint_auth_method?: string
}

interface Tokens {
  readonly access_token: string
  readonly refresh_token?: string
  readonly scope?: string
}

const maxRounds = 3

/** Makes one for a server. */
export const createMcpClient = (given: McpClientGiven) => {
  let tokens: Tokens | undefined
  let session: string | undefined
  let known: { credentials: Credentials; server: ServerMetadata } | undefined
  let id = 0
  const asked = new Set<string>()

  const signIn = async (challenge: Response) => {
    const { resource, server } = await discover(given.url, challenge)
    known ??= { server, credentials: await identify(given, server) }
    for (const scope of scopesFor(challenge, { resource, server })) asked.add(scope)
    tokens = await authorize(given, { ...known, resource: resource.resource, scope: [...asked].join(' ') })
  }
  const post = (body: object) =>
    fetch(given.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2025-11-25',
        ...(session ? { 'mcp-session-id': session } : {}),
        ...(tokens ? { authorization: `Bearer ${tokens.access_token}` } : {}),
      },
      body: JSON.stringify({ jsonrpc: '2.0', ...body }),
    })
  const send = async (body: object): Promise<unknown> => {
    for (let round = 0; ; round += 1) {
      const response = await post(body)
      session ??= response.headers.get('mcp-session-id') ?? undefined
      if (response.ok) return response.status === 202 ? undefined : messageOf(await response.text())
      if (![401, 403].includes(response.status) || round === maxRounds) throw new Error(`${response.status} ${await response.text()}`)
      await signIn(response)
    }
  }
  const call = async (method: string, params: object = {}) => send({ id: ++id, method, params })
  return {
    call,
    connect: async () => {
      await call('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'authy2-test', version: '1' } })
      await send({ method: 'notifications/initialized' })
    },
    tokens: () => tokens,
    credentials: () => known?.credentials,
  }
}

// The challenge knows best; then what the resource has; else the server decides.
const scopesFor = (challenge: Response, { resource, server }: { resource: ResourceMetadata; server: ServerMetadata }): readonly string[] => {
  const scopes = challengeParameter(challenge, 'scope')?.split(' ') ?? resource.scopes_supported ?? []
  return server.scopes_supported?.includes('offline_access') ? [...scopes, 'offline_access'] : scopes
}

const identify = async ({ registered, documentUrl, redirectUri }: McpClientGiven, server: ServerMetadata): Promise<Credentials> => {
  if (registered) return registered
  if (server.client_id_metadata_document_supported && documentUrl) return { client_id: documentUrl, token_endpoint_auth_method: 'none' }
  if (!server.registration_endpoint) throw new Error('there is no way to be known')
  const { token_endpoint_auth_methods_supported: methods = ['client_secret_basic'] } = server
  const metadata = {
    client_name: 'A test client',
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: methods.includes('none') ? 'none' : methods[0],
  }
  const response = await fetch(server.registration_endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(metadata),
  })
  if (!response.ok) throw new Error(`not registered: ${await response.text()}`)
  return { token_endpoint_auth_method: metadata.token_endpoint_auth_method, ...((await response.json()) as Credentials) }
}

interface Round {
  readonly credentials: Credentials
  readonly server: ServerMetadata
  readonly resource: string
  readonly scope: string
}

const authorize = async ({ redirectUri, visit }: McpClientGiven, { credentials, server, resource, scope }: Round): Promise<Tokens> => {
  const [verifier, state] = [randomBytes(32).toString('base64url'), randomBytes(16).toString('base64url')]
  const url = new URL(server.authorization_endpoint)
  const parameters = {
    response_type: 'code',
    client_id: credentials.client_id,
    redirect_uri: redirectUri,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    state,
    resource,
    ...(scope ? { scope } : {}),
    // OpenID Connect Core §11: offline access is asked of the person.
    ...(scope.split(' ').includes('offline_access') ? { prompt: 'consent' } : {}),
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  const { searchParams: back } = await visit(url)
  if (back.get('state') !== state) throw new Error('the answer is to somebody else’s question')
  // RFC 9207 §2.4.
  if ((server.authorization_response_iss_parameter_supported || back.has('iss')) && back.get('iss') !== server.issuer) throw new Error('another issuer answers')
  const code = back.get('code')
  if (code === null) throw new Error(`refused: ${back.get('error')}`)
  return redeem({ credentials, server }, { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier, resource })
}

const redeem = async ({ credentials, server }: Pick<Round, 'credentials' | 'server'>, parameters: Record<string, string>): Promise<Tokens> => {
  const { client_id, client_secret = '' } = credentials
  const methods = server.token_endpoint_auth_methods_supported
  const method = credentials.token_endpoint_auth_method ?? (client_secret === '' ? 'none' : (methods?.[0] ?? 'client_secret_basic'))
  const isBasic = method === 'client_secret_basic'
  const basic = `Basic ${Buffer.from(`${encodeURIComponent(client_id)}:${encodeURIComponent(client_secret)}`).toString('base64')}`
  const own = isBasic ? {} : { client_id, ...(method === 'client_secret_post' ? { client_secret } : {}) }
  const response = await fetch(server.token_endpoint, {
    method: 'POST',
    headers: isBasic ? { authorization: basic } : {},
    body: new URLSearchParams({ ...parameters, ...own }),
  })
  if (!response.ok) throw new Error(`no token: ${await response.text()}`)
  return (await response.json()) as Tokens
}

// Streamable HTTP answers with JSON, or with events of which the last data is the answer.
const messageOf = (text: string): unknown => {
  const data = text.startsWith('{') ? text : [...text.matchAll(/^data: ?(\{.*)$/gm)].at(-1)?.[1]
  return data && JSON.parse(data)
}

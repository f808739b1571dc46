// How an MCP client finds out where to sign in: RFC 9728 from the challenge, then RFC 8414 or OpenID Connect Discovery.

/** The metadata of an authorization server. */
export interface ServerMetadata {
  readonly issuer: string
  readonly authorization_endpoint: string
  readonly token_endpoint: string
  readonly registration_endpoint?: string
  readonly client_id_metadata_document_supported?: boolean
  readonly code_challenge_methods_supported?: readonly string[]
  readonly authorization_response_iss_parameter_supported?: boolean
  readonly token_endpoint_auth_methods_supported?: readonly string[]
  readonly scopes_supported?: readonly string[]
}

/** What the resource says of itself (RFC 9728 §2). */
export interface ResourceMetadata {
  readonly resource: string
  readonly authorization_servers?: readonly string[]
  readonly scopes_supported?: readonly string[]
}

/** A parameter of a challenge (RFC 6750 §3, RFC 9728 §5.1). */
export const challengeParameter = (response: Response, name: string): string | undefined =>
  new RegExp(`\\b${name}="([^"]*)"`).exec(response.headers.get('www-authenticate') ?? '')?.[1]

/** Where to sign in for a resource. Throws when it speaks for another resource, or its server for another issuer. */
export const discover = async (url: string, challenge: Response): Promise<{ resource: ResourceMetadata; server: ServerMetadata }> => {
  const { origin, pathname } = new URL(url)
  const told = challengeParameter(challenge, 'resource_metadata')
  const path = pathname === '/' ? '' : pathname
  const places = told ? [told] : [`${origin}/.well-known/oauth-protected-resource${path}`, `${origin}/.well-known/oauth-protected-resource`]
  const resource = await first<ResourceMetadata>(places)
  if (!isPrefix(resource.resource, url)) throw new Error(`the metadata is of ${resource.resource}`)
  const issuer = resource.authorization_servers?.[0] ?? origin
  const server = await first<ServerMetadata>(placesOf(issuer))
  if (server.issuer.replace(/\/$/, '') !== issuer.replace(/\/$/, '')) throw new Error(`the metadata is of ${server.issuer}`)
  if (!server.code_challenge_methods_supported?.includes('S256')) throw new Error('the server does not take PKCE')
  return { resource, server }
}

const placesOf = (issuer: string): readonly string[] => {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  return [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}/.well-known/openid-configuration${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ]
}

const first = async <Found>(places: readonly string[]): Promise<Found> => {
  for (const place of places) {
    const response = await fetch(place, { headers: { accept: 'application/json', 'mcp-protocol-version': '2025-11-25' } })
    if (response.ok) return (await response.json()) as Found
  }
  throw new Error(`nothing is found at ${places}`)
}

const isPrefix = (resource: string, url: string) => {
  const [given, asked] = [new URL(resource), new URL(url)]
  return given.origin === asked.origin && `${asked.pathname}/`.startsWith(given.pathname.replace(/\/?$/, '/'))
}

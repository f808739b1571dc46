// The demo clients and the demo users, as the server seeds them in development.
import type { ClientMetadata } from 'oidc-provider'

export const portal = { id: 'acme-portal-001', secret: 'acme_secret_portal_2024', redirectUri: 'http://localhost:4000/callback' } as const
export const service = { id: 'acme-service-001', secret: 'acme_secret_service_2024' } as const
/** Enough people that no account sees more than a few sign-ins at once. */
export const demoUsers = [
  { username: 'bob@acme-corp.com', password: 'UserPass123!' },
  { username: 'alice@acme-corp.com', password: 'OwnerPass123!' },
  { username: 'carol@acme-corp.com', password: 'AdminPass123!' },
  { username: 'admin@authy2.local', password: 'AdminPass123!' },
] as const
export const resources = { ES256: 'http://localhost:4000/api/es256', RS256: 'http://localhost:4000/api/rs256' } as const

/** The same clients as metadata for the baseline. */
export const demoClients: readonly ClientMetadata[] = [
  {
    client_id: portal.id,
    client_secret: portal.secret,
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    redirect_uris: [portal.redirectUri, 'http://127.0.0.1:4000/callback'],
    post_logout_redirect_uris: ['http://localhost:4000/'],
  },
  {
    client_id: 'acme-spa-001',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: ['http://localhost:4001/callback'],
  },
  { client_id: service.id, client_secret: service.secret, grant_types: ['client_credentials'], response_types: [], redirect_uris: [] },
]

// GitLab, at GitLab.com or at an address of one's own.
import { z } from 'zod'
import type { Connector, ConnectorNeeds } from './connector.ts'
import { originSchema } from './oidc-addresses.ts'
import { clientIdSchema, createOidcKind, type OidcSecrets } from './oidc-kind.ts'
import { identifyStandard } from './standard-claims.ts'

/** The settings of an application there. */
export const gitlabSettings = z.strictObject({ client_id: clientIdSchema, origin: originSchema.default('https://gitlab.com') })

/** The settings of an application there. */
export type GitlabSettings = z.output<typeof gitlabSettings>

/** Makes the connector. */
export const createGitlabConnector = (needs: Pick<ConnectorNeeds, 'fetch' | 'now' | 'randomBytes'>): Connector<GitlabSettings, OidcSecrets> =>
  createOidcKind(needs, {
    id: 'gitlab',
    name: 'GitLab',
    settings: gitlabSettings,
    authorityOf: ({ origin }) => origin,
    asked: ({ client_id: clientId, origin }) => ({
      issuer: origin,
      clientId,
      scopes: ['openid', 'email', 'profile'],
      alg: 'RS256',
      authMethod: 'client_secret_post',
    }),
    identify: identifyStandard,
  })

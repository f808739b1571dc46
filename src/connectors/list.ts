// All kinds of upstream providers, one line each.
import type { Connector, ConnectorNeeds } from './connector.ts'
import { createGithubConnector } from './github.ts'
import { createGitlabConnector } from './gitlab.ts'
import { createGoogleConnector } from './google.ts'
import { createMicrosoftConnector } from './microsoft.ts'
import { createOidcConnector } from './oidc.ts'

const makers: readonly ((needs: ConnectorNeeds) => Connector)[] = [
  createGoogleConnector,
  createMicrosoftConnector,
  createGithubConnector,
  createGitlabConnector,
  createOidcConnector,
]

/** The connectors by their id. */
export type Connectors = ReadonlyMap<string, Connector>

/** Makes them. */
export const createConnectors = (needs: ConnectorNeeds): Connectors => {
  const made = makers.map(make => make(needs))
  return new Map(made.map(connector => [connector.id, connector]))
}

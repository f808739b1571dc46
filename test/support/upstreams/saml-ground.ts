// What the tests of the SAML connector stand on: the connector over a real database, and a connection to a provider.
import { randomBytes, randomUUID } from 'node:crypto'
import { createAcceptOnce } from '../../../src/connectors/accepted-assertions.ts'
import type { Answer, Configured, Connector, UpstreamIdentity } from '../../../src/connectors/connector.ts'
import { createConnectors } from '../../../src/connectors/list.ts'
import { SamlRefusal } from '../../../src/connectors/saml-refusal.ts'
import { type SamlSecrets, type SamlSettings, samlSettings } from '../../../src/connectors/saml-settings.ts'
import type { Database } from '../../../src/platform/data/database.ts'
import { Problem } from '../../../src/platform/errors.ts'

/** The settings as an administrator would write them. */
export type Written = Readonly<Record<string, unknown>>

/** The connector as a process of its own would make it; all that it remembers is in the database. */
export const makeConnector = (database: Database, now: () => Date = () => new Date()): Connector => {
  const connector = createConnectors({ fetch, now, randomBytes, acceptOnce: createAcceptOnce({ database }) }).get('saml')
  if (!connector) throw new Error('There is no SAML connector.')
  return connector
}

/** A connection with these settings. */
export const makeConnection = (written: Written, secrets: SamlSecrets = {}, connectionId: string = randomUUID()): Configured<SamlSettings, SamlSecrets> => ({
  connectionId,
  settings: samlSettings.parse(written),
  secrets,
  callbackUrl: `https://id.example/connections/${connectionId}/callback`,
  entityId: `https://id.example/connections/${connectionId}/metadata`,
})

/** Signs in from beginning to end. `go` is the provider and the browser. */
export const signIn = async (
  connector: Connector,
  connection: Configured,
  go: (begun: Awaited<ReturnType<Connector['begin']>>) => Promise<Answer>,
  { isAgain = false } = {},
): Promise<UpstreamIdentity> => {
  const wish = { state: randomBytes(16).toString('base64url'), isAgain }
  const begun = await connector.begin(connection, wish)
  return connector.complete(connection, { ...wish, kept: begun.kept, answer: await go(begun) })
}

/** The code of the Problem that comes, and the rule that was broken; `undefined` where nothing is refused. */
export const refusalOf = async (attempt: Promise<unknown>): Promise<{ readonly code: string; readonly reason: string } | undefined> => {
  try {
    await attempt
    return undefined
  } catch (error) {
    if (error instanceof Problem && error.cause instanceof SamlRefusal) return { code: error.code, reason: error.cause.reason }
    throw error
  }
}

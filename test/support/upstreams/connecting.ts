// Connectors without a server around them: made for a world of standing providers, and driven from the button to the identity.
import { randomBytes, randomUUID } from 'node:crypto'
import type { Answer, Begun, Configured, ConnectorNeeds, UpstreamIdentity, Wish } from '../../../src/connectors/connector.ts'
import { type Connectors, createConnectors } from '../../../src/connectors/list.ts'
import { createOutboundFetch } from '../../../src/platform/http/outbound.ts'
import { fetchThrough, type Standing } from './world.ts'

/** A connection, and how one signs in by it. */
export type Connecting = ReturnType<typeof connect>

/** Makes all connectors for a world. */
export const connectorsOf = (world: readonly Standing[] = [], over: Partial<ConnectorNeeds> = {}): Connectors =>
  createConnectors({
    fetch: fetchThrough(world, createOutboundFetch({ isLoopbackAllowed: true, maxBytes: 512 * 1024 })),
    now: () => new Date(),
    randomBytes,
    acceptOnce: async () => true,
    ...over,
  })

/** The callback as the browser brings it. */
export const answerOf = (callback: URL): Answer => ({ method: 'GET', query: callback.search.slice(1) })

/** A sign-in that was begun. */
export interface Underway {
  readonly wish: Wish
  readonly begun: Begun
  readonly url: URL
}

/** Connects by the connector of this id. */
export const connect = (connectors: Connectors, id: string, given: { settings: unknown; client_secret?: string; connectionId?: string }) => {
  const connector = connectors.get(id)
  if (!connector) throw new Error(`no connector ${id}`)
  const connectionId = given.connectionId ?? randomUUID()
  const connection: Configured = {
    connectionId,
    settings: connector.settings.parse(given.settings),
    secrets: connector.secrets.parse({ client_secret: given.client_secret ?? 'a secret' }),
    callbackUrl: `http://localhost:3000/connections/${connectionId}/callback`,
    entityId: `http://localhost:3000/connections/${connectionId}/metadata`,
  }
  const begin = async (over: Partial<Wish> = {}): Promise<Underway> => {
    const wish = { state: randomBytes(32).toString('base64url'), isAgain: false, ...over }
    const begun = await connector.begin(connection, wish)
    if (!begun.redirectUrl) throw new Error('the browser is sent nowhere')
    return { wish, begun, url: begun.redirectUrl }
  }
  const complete = ({ wish, begun }: Pick<Underway, 'wish' | 'begun'>, callback: URL): Promise<UpstreamIdentity> =>
    connector.complete(connection, { ...wish, kept: begun.kept, answer: answerOf(callback) })
  /** From the button to the identity. */
  const signIn = async <Who>(upstream: { signIn(url: URL, who?: Who): Promise<URL> }, who?: Who, over?: Partial<Wish>): Promise<UpstreamIdentity> => {
    const underway = await begin(over)
    return complete(underway, await upstream.signIn(underway.url, who))
  }
  return { connector, connection, begin, complete, signIn, test: () => connector.test(connection) }
}

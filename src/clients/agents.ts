// The agents of people: made, seen and ended by the person whose they are.
import type { Actor } from '../platform/actor.ts'
import type { ClientAdministration } from './administration.ts'
import type { CheckMetadata, Client, ClientMetadata } from './client.ts'
import { toMetadata } from './client-output.ts'
import type { Clients } from './clients.ts'
import { deviceGrantType, jwtBearerGrantType } from './grant-types.ts'

/** What a new agent is made of. */
export interface NewAgent {
  readonly name: string
  /** Where the person comes back to; none: it signs in by a device code. */
  readonly redirectUris: readonly string[]
  /** Its public keys, by which it authenticates; absent: a secret is made. */
  readonly jwks?: { readonly keys: readonly object[] } | undefined
}

interface AgentKey {
  readonly userId: string
  readonly id: string
}

/** The agents of people. Each throws `not_found` for one that is not the person's. */
export interface Agents {
  /** All of a person's, the newest first. */
  list(userId: string): Promise<readonly Client[]>
  /** Throws `too_many_agents`, and `validation_failed` for keys and addresses that the engine would not take. The secret is given this once. */
  create(actor: Actor, agent: NewAgent & { readonly userId: string }): Promise<{ agent: Client; secret?: string }>
  /** It gets nothing any more, and what it holds ends; an administrator can take that back. */
  disable(actor: Actor, key: AgentKey): Promise<Client>
  remove(actor: Actor, key: AgentKey): Promise<void>
}

interface Needs {
  readonly clients: Pick<Clients, 'create'>
  readonly clientAdministration: ClientAdministration
  readonly checkMetadata: CheckMetadata
  readonly newId: () => string
}

/** Lists the agents that a person made for themselves, the newest first. */
export const createListAgents =
  (administration: Pick<ClientAdministration, 'list'>) =>
  async (userId: string): Promise<readonly Client[]> =>
    (await administration.list({ ownerUserId: userId }, { limit: listed, isAscending: false })).rows

const listed = 200

/** Makes the service. */
export const createAgents = ({ clients, clientAdministration: administration, checkMetadata, newId }: Needs): Agents => ({
  list: createListAgents(administration),
  create: async (actor, { userId, ...given }) => {
    const agent = { ...toClient(given), clientId: newId() }
    checkMetadata(toMetadata({ clientId: agent.clientId }, agent))
    const { id, secret } = await clients.create(actor, { ...agent, isAgent: true, ownerUserId: userId })
    return { agent: await administration.get({ id }), secret }
  },
  disable: (actor, { userId, id }) => administration.update(actor, { id, ownerUserId: userId }, { isDisabled: true }),
  remove: (actor, { userId, id }) => administration.remove(actor, { id, ownerUserId: userId }),
})

const toClient = ({ name, redirectUris, jwks }: NewAgent) => {
  const metadata: ClientMetadata = {
    ...(jwks ? { jwks } : {}),
    ...(redirectUris.some(uri => URL.parse(uri)?.protocol === 'http:') ? { application_type: 'native' } : {}),
  }
  return {
    name,
    redirectUris,
    metadata,
    authenticationMethod: jwks ? ('private_key_jwt' as const) : ('client_secret_basic' as const),
    grantTypes: [
      ...(redirectUris.length > 0 ? ['authorization_code'] : []),
      'refresh_token',
      'client_credentials',
      deviceGrantType,
      ...(jwks ? [jwtBearerGrantType] : []),
    ],
  }
}

// The agents of people: made, seen, changed and ended by the person whose they are.
import type { Actor } from '../platform/actor.ts'
import { namesOf } from '../platform/data/changed.ts'
import { type Database, statement } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import type { MakeLimit } from '../platform/http/limit.ts'
import type { ClientAdministration } from './administration.ts'
import { maxAgentsADay } from './agent.ts'
import { type AgentKeys, type AgentWords, mustBeWithinBounds, toAgentChanges, toNewColumns } from './agent-metadata.ts'
import type { CheckMetadata, Client, ClientChanges } from './client.ts'
import { toMetadata } from './client-output.ts'
import type { Clients } from './clients.ts'
import { likenessOf } from './open-bounds.ts'
import { type IsReservedName, nameAlike } from './reserved-names.ts'

interface AgentKey {
  readonly userId: string
  readonly id: string
}

/** The agents of people. Each throws `not_found` for one that is not the person's. */
export interface Agents {
  /** All of a person's, the newest first. */
  list(userId: string): Promise<readonly Client[]>
  /**
   * Throws `too_many_agents`, `too_many_attempts` for who made as many today as one may, and `validation_failed` for a name that looks like
   * that of the service or of an app of the operator's, for keys and addresses beyond the bounds, or that the engine would not take. The secret is given this once.
   */
  create(actor: Actor, agent: AgentWords & { readonly userId: string }): Promise<{ agent: Client; secret?: string }>
  /** Throws as making one does, and `conflict` where somebody else changed it just now. Disabled, it gets nothing any more, and what it holds ends; an administrator can take that back. */
  update(
    actor: Actor,
    key: AgentKey,
    changes: { readonly name?: string; readonly redirectUris?: readonly string[]; readonly isDisabled?: true },
  ): Promise<Client>
  /**
   * Puts keys, or else a new secret, in the place of what it authenticated by: that is void at once. Throws `validation_failed` for keys as
   * making one does, and where it authenticates by keys and none are given.
   */
  renew(actor: Actor, key: AgentKey, credentials: { readonly jwks?: AgentKeys | undefined }): Promise<{ agent: Client; secret?: string }>
  remove(actor: Actor, key: AgentKey): Promise<void>
}

interface Needs {
  readonly issuer: string
  readonly database: Database
  readonly clients: Pick<Clients, 'create'>
  readonly clientAdministration: ClientAdministration
  readonly checkMetadata: CheckMetadata
  readonly isReservedName: IsReservedName
  readonly limit: MakeLimit
  readonly newId: () => string
}

const listed = 200

/** Lists the agents that a person made for themselves, the newest first; `isDeleted`: those that can be restored. */
export const createListAgents =
  (administration: Pick<ClientAdministration, 'list'>) =>
  async (userId: string, { isDeleted = false } = {}): Promise<readonly Client[]> =>
    (await administration.list({ ownerUserId: userId, isDeleted }, { limit: listed, isAscending: false })).rows

/** Makes the service. */
export const createAgents = ({
  issuer,
  database,
  clients,
  clientAdministration: administration,
  checkMetadata,
  isReservedName,
  limit,
  newId,
}: Needs): Agents => {
  const made = limit('agent-made:user', { points: maxAgentsADay, durationSeconds: 86_400 })
  const mustBeDistinct = createMustBeDistinct(database, isReservedName)
  /** What is decided from what an agent is holds only while it is that. */
  const change = async (actor: Actor, { userId, id }: AgentKey, changesOf: (before: Client) => ClientChanges): Promise<Client> => {
    const key = { id, ownerUserId: userId }
    const seen = await administration.get(key)
    const changes = changesOf(seen)
    const expect = ({ version }: Client) => {
      if (version !== seen.version) throw new Problem('conflict')
      checkMetadata(toMetadata(seen, changes))
    }
    return administration.update(actor, key, { ...changes, expect })
  }

  return {
    list: createListAgents(administration),
    create: async (actor, { userId, ...words }) => {
      mustBeWithinBounds(words, issuer)
      await mustBeDistinct(words.name)
      const agent = { ...toNewColumns(words), clientId: newId() }
      checkMetadata(toMetadata({ clientId: agent.clientId }, agent))
      await made.consume(userId)
      const { id, secret } = await clients.create(actor, { ...agent, isAgent: true, ownerUserId: userId }).catch(async error => {
        await made.reward(userId)
        throw error
      })
      return { agent: await administration.get({ id }), secret }
    },
    update: async (actor, key, { isDisabled, ...words }) => {
      const own = { id: key.id, ownerUserId: key.userId }
      // Ending one waits for nothing that is wrong with it.
      if (namesOf(words).length === 0) return isDisabled ? administration.update(actor, own, { isDisabled }) : administration.get(own)
      mustBeWithinBounds(words, issuer)
      if (words.name !== undefined) await mustBeDistinct(words.name)
      return change(actor, key, before => ({ ...toAgentChanges(before, words), isDisabled }))
    },
    renew: async (actor, key, { jwks }) => {
      mustBeWithinBounds({ jwks }, issuer)
      if (jwks) return { agent: await change(actor, key, before => toAgentChanges(before, { jwks })) }
      const own = { id: key.id, ownerUserId: key.userId }
      const { secret } = await administration.addSecret(actor, own, { isOnly: true, expect: mustHaveSecret })
      return { agent: await administration.get(own), secret }
    },
    remove: (actor, { userId, id }) => administration.remove(actor, { id, ownerUserId: userId }),
  }
}

const mustHaveSecret = ({ authenticationMethod }: Client) => {
  if (authenticationMethod !== 'private_key_jwt') return
  throw new Problem('validation_failed', { fields: [{ path: 'jwks', code: 'required', message: 'is needed: this agent authenticates by keys' }] })
}

const namesOfOurs = statement('operators-own-names', 'SELECT name FROM clients WHERE first_party AND deleted_at IS NULL')

// Whoever is asked by an agent is not to take it for the operator's own.
const createMustBeDistinct =
  (database: Database, isReservedName: IsReservedName) =>
  async (name: string): Promise<void> => {
    if (isReservedName(name)) throw nameAlike()
    const rows = await database.run<{ name: string }>(namesOfOurs, [])
    const likeness = likenessOf(name)
    if (likeness === '' || !rows.some(ours => likenessOf(ours.name) === likeness)) return
    throw nameAlike()
  }

// OAuth clients: made, found with a cache that asks again only when one was changed, and then for its version first.
import type { Images } from '../images/images.ts'
import type { PostNotice } from '../mails/notices.ts'
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import type { ChangeFeed } from '../platform/data/change-feed.ts'
import { type Database, statement, type TransactionClient } from '../platform/data/database.ts'
import { createMemo } from '../platform/data/memo.ts'
import { Problem } from '../platform/errors.ts'
import type { Secrets } from '../platform/secrets.ts'
import { tellOwner } from './agent-notice.ts'
import { mustBeOwnable } from './agent-rule.ts'
import { type NewClient, needsSecret, type Registration } from './client.ts'
import { clientIdPattern } from './client-id.ts'
import { toCreate } from './client-row.ts'
import { mustBeOfferable } from './connection-rule.ts'
import { createRegister, type Register } from './register.ts'
import { isSecretOf, standInSecret, toRegistration, toSecretColumns } from './registration.ts'
import { createFindVersion } from './versions.ts'

/** The clients of the system. */
export interface Clients {
  /** Throws `client_id_taken`, `too_many_agents`, and `not_found` for an organization or owner that is not there. The secret is given this once. */
  create(actor: Actor, client: NewClient): Promise<{ id: string; secret?: string }>
  /** A living client; at most a second old, and while it is among those that are kept, the same object as long as its version is. */
  find(clientId: string): Promise<Registration | undefined>
  /** As dynamic registration makes and changes them. */
  readonly register: Register
  /** Notes that somebody let the client in: one that registered itself and is never used is forgotten. */
  noteUse(clientId: string): Promise<void>
  /** What stands for the secret of a client whose secrets are only digests. */
  standInSecret(clientId: string): string
  /** Whether the secret is one of the client's living secrets; `found`: the client, for who has just found it. */
  verifySecret(clientId: string, secret: string, found?: Registration): Promise<boolean>
  /** Looks again at the next {@link Clients.find}: the client was changed elsewhere. */
  forget(clientId: string): void
}

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly feed: ChangeFeed
  readonly secrets: Secrets
  readonly now: () => Date
  readonly randomBytes: (size: number) => Buffer
  readonly images: Pick<Images, 'ask'>
  readonly notify: PostNotice
  /** Of how many clients what was read is kept while nobody asks for them: those that were looked at last. */
  readonly maxKnown?: number
}

const firstUse = statement('client-first-use', 'UPDATE clients SET used_at = now() WHERE client_id = $1 AND used_at IS NULL')

/** Makes the service. */
export const createClients = ({ database, change, feed, secrets, now, randomBytes, images, notify, maxKnown = 10_000 }: Needs): Clients => {
  const known = new Map<string, Registration>()
  const findVersion = createFindVersion(database)
  const keep = (clientId: string, registration: Registration) => {
    known.set(clientId, registration)
    if (known.size > maxKnown) known.delete(known.keys().next().value ?? clientId)
    return registration
  }

  const load = async (clientId: string): Promise<Registration | undefined> => {
    const version = await findVersion(clientId)
    const cached = known.get(clientId)
    known.delete(clientId)
    if (version === undefined) return undefined
    if (cached?.version === version) return keep(clientId, cached)
    const row = await database.prisma.client.findUnique({ where: { clientId }, include: { secrets: { where: { revokedAt: null } } } })
    if (!row) return undefined
    return keep(clientId, toRegistration(row, secrets))
  }

  const memo = createMemo({
    ttlMilliseconds: 1000,
    now,
    load,
    ends: { feed, by: { client: ({ client_id: clientId }) => clientId, organization: () => undefined } },
  })
  const find = async (clientId: string) => {
    const found = clientIdPattern.test(clientId) ? await memo.get(clientId) : undefined
    // An agent ends by what happens to its owner, of which nobody here is told: it is looked at again each time.
    if (found?.ownerUserId !== undefined) memo.forget(clientId)
    return found
  }

  return {
    find,
    forget: memo.forget,
    create: async (actor, client) => {
      const secret = needsSecret(client.authenticationMethod) ? (client.secret ?? randomBytes(32).toString('base64url')) : undefined
      const { id } = await change(actor, async (tx, record) => {
        if (client.organizationId !== undefined) await mustLive(tx, client.organizationId)
        await mustBeOfferable(tx, client)
        await mustBeOwnable(tx, client)
        const row = await tx.client.create({
          data: {
            ...toCreate(client),
            secrets:
              secret === undefined
                ? undefined
                : { create: toSecretColumns({ clientId: client.clientId, secret, method: client.authenticationMethod }, secrets) },
          },
        })
        await images.ask(tx, client.metadata?.logo_uri)
        await tellOwner(tx, { actor, client, notify })
        record('client.created', { id: row.id, client_id: row.clientId, name: row.name }, { organizationId: client.organizationId })
        return row
      })
      memo.forget(client.clientId)
      return { id, secret }
    },
    register: createRegister({ change, secrets, now, images, forget: memo.forget }),
    noteUse: async clientId => {
      await database.run(firstUse, [clientId])
    },
    standInSecret: clientId => standInSecret(clientId, secrets),
    verifySecret: async (clientId, secret, found) => {
      const registration = found ?? (await find(clientId))
      return registration !== undefined && isSecretOf(registration, secret, { secrets, now: now() })
    },
  }
}

// Shared, so that the organization is not deleted in between: its deletion disables the clients it finds.
const mustLive = async (tx: TransactionClient, organizationId: string) => {
  const found = await tx.$queryRaw<unknown[]>`SELECT id FROM organizations WHERE id = ${organizationId}::uuid AND deleted_at IS NULL FOR SHARE`
  if (found.length === 0) throw new Problem('not_found')
}

// Keeps clients as dynamic registration makes them (RFC 7591) and changes them (RFC 7592).
import type { Images } from '../images/images.ts'
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import type { Secrets } from '../platform/secrets.ts'
import type { ClientMetadata } from './client.ts'
import { areSecretsKept, standInSecret, toColumns, toSecretColumns } from './registration.ts'

/** What is kept of a client that registers anew. */
export interface Registered {
  readonly id: string
  readonly grantTypes: readonly string[]
  readonly method: string
}

interface Registering {
  readonly source?: 'token' | 'open'
  /** Called with what is about to be changed, which nobody else changes meanwhile; throws where it must not be. */
  readonly expect?: (tx: TransactionClient, before: Registered | undefined) => Promise<void>
}

/** Keeps what dynamic registration made of a client. Throws `unavailable` while too many that anybody registered were never used. */
export type Register = (actor: Actor, metadata: ClientMetadata & { readonly client_id: string }, options?: Registering) => Promise<void>

interface Needs {
  readonly change: Change
  readonly secrets: Secrets
  readonly now: () => Date
  readonly images: Pick<Images, 'ask'>
  readonly forget: (clientId: string) => void
}

// Of clients that anybody registered.
const maxUnused = 1000

/** Makes it. */
export const createRegister =
  ({ change, secrets, now, images, forget }: Needs): Register =>
  async (actor, { client_id: clientId, ...metadata }, { source = 'token', expect } = {}) => {
    const columns = toColumns(metadata)
    const method = columns.tokenEndpointAuthMethod
    const secret =
      typeof metadata.client_secret === 'string' && metadata.client_secret !== standInSecret(clientId, secrets) ? metadata.client_secret : undefined
    await change(actor, async (tx, record) => {
      const [before] = await tx.$queryRaw<Registered[]>`
        SELECT id, grant_types AS "grantTypes", token_endpoint_auth_method AS method FROM clients WHERE client_id = ${clientId} FOR NO KEY UPDATE`
      await expect?.(tx, before)
      if (!before && source === 'open' && (await tx.client.count({ where: { source, usedAt: null } })) >= maxUnused)
        throw new Problem('unavailable', { retryAfterSeconds: 600 })
      const row = await tx.client.upsert({
        where: { clientId },
        create: { clientId, source, ...columns },
        update: { ...columns, version: { increment: 1 } },
      })
      const isNew = secret !== undefined && !(await isKept(tx, { id: row.id, clientId, secret, method }, secrets))
      if (isNew || !areSecretsKept(before?.method ?? method, method))
        await tx.clientSecret.updateMany({ where: { clientId: row.id, revokedAt: null }, data: { revokedAt: now() } })
      if (isNew) await tx.clientSecret.create({ data: { clientId: row.id, ...toSecretColumns({ clientId, secret, method }, secrets) } })
      await images.ask(tx, metadata.logo_uri)
      record(before ? 'client.updated' : 'client.registered', { id: row.id, client_id: clientId, name: row.name })
    })
    forget(clientId)
  }

// An update comes with a secret that signs as the client has it, perhaps beside others, which stay too.
const isKept = async (
  tx: TransactionClient,
  { id, clientId, secret, method }: { id: string; clientId: string; secret: string; method: string },
  secrets: Secrets,
): Promise<boolean> => {
  if (method !== 'client_secret_jwt') return false
  const living = await tx.clientSecret.findMany({ where: { clientId: id, revokedAt: null }, select: { sealed: true } })
  return living.some(({ sealed }) => sealed !== null && secrets.unseal('client-secret-sealed', sealed, clientId) === secret)
}

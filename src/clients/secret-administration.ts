// The secrets of clients as their administrators see and change them, several at a time.
import type { Actor } from '../platform/actor.ts'
import { Problem } from '../platform/errors.ts'
import type { Secrets } from '../platform/secrets.ts'
import type { FindCarried } from './carried.ts'
import { type ClientSecret, needsSecret } from './client.ts'
import { toClient, toClientSecret } from './client-row.ts'
import { isUnexpired, toSecretColumns } from './registration.ts'
import { type ClientKey, type Expect, type SoughtClients, version } from './sought-client.ts'

const maxSecrets = 10

/** Each throws `not_found` for a client that is not there. */
export interface SecretAdministration {
  /** One more living secret, given this once, or with `isOnly` one in the place of all before. Throws `secret_not_used` where the client does not use one, `too_many_secrets` beyond ten that have not expired. */
  addSecret(
    actor: Actor,
    key: ClientKey,
    options: { readonly expiresAt?: Date; readonly isOnly?: boolean; readonly expect?: Expect },
  ): Promise<{ clientSecret: ClientSecret; secret: string }>
  revokeSecret(actor: Actor, key: ClientKey, secretId: string): Promise<void>
}

interface Needs {
  readonly sought: SoughtClients
  readonly secrets: Secrets
  readonly now: () => Date
  readonly randomBytes: (size: number) => Buffer
  readonly findCarried: FindCarried
}

/** Makes it. */
export const createSecretAdministration = ({ sought: { changeClient }, secrets, now, randomBytes, findCarried }: Needs): SecretAdministration => ({
  addSecret: (actor, key, { expiresAt, isOnly = false, expect }) =>
    changeClient(actor, {
      key,
      work: async (tx, before) => {
        await expect?.(toClient(before), () => findCarried(tx, before))
        const { id, clientId, tokenEndpointAuthMethod: method, secrets: kept } = before
        if (!needsSecret(method)) throw new Problem('secret_not_used')
        if (!isOnly && kept.filter(secret => isUnexpired(secret, now())).length >= maxSecrets) throw new Problem('too_many_secrets')
        if (isOnly) await tx.clientSecret.updateMany({ where: { clientId: id, revokedAt: null }, data: { revokedAt: now() } })
        const secret = randomBytes(32).toString('base64url')
        const row = await tx.clientSecret.create({ data: { clientId: id, expiresAt, ...toSecretColumns({ clientId, secret, method }, secrets) } })
        await tx.client.update({ where: { id }, data: version })
        return { event: 'client.secret_created', told: { secret_id: row.id, hint: row.hint }, result: { clientSecret: toClientSecret(row), secret } }
      },
    }),
  revokeSecret: (actor, key, secretId) =>
    changeClient(actor, {
      key,
      work: async (tx, { id, secrets: kept }) => {
        const found = kept.find(secret => secret.id === secretId)
        if (!found) throw new Problem('not_found')
        await tx.clientSecret.update({ where: { id: secretId }, data: { revokedAt: now() } })
        await tx.client.update({ where: { id }, data: version })
        return { event: 'client.secret_revoked', told: { secret_id: secretId, hint: found.hint }, result: undefined }
      },
    }),
})

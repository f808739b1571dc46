// Keeps a new grant in the transaction of a change, so that what was decided and what it grants are there together or not at all.
import type Provider from 'oidc-provider'
import type { Grant } from 'oidc-provider'
import type { TransactionClient } from '../platform/data/database.ts'
import { hashOf } from '../platform/secrets.ts'
import { accessGate } from './access-gate.ts'

/** A grant that is to be kept. */
export interface NewGrant {
  readonly id: string
  readonly accountId: string
  readonly clientId: string
  /** As the engine keeps it. */
  readonly payload: object
  readonly ttlSeconds: number
}

/** Makes one of a grant of the engine that was not saved. */
export const toNewGrant = async (provider: Provider, grant: Grant): Promise<NewGrant> => {
  const kept = grant as Grant & Engine
  kept.jti = kept.generateTokenId()
  const { jti: _id, ...payload } = (await kept.getValueAndPayload()).payload
  const { accountId, clientId } = grant
  if (accountId === undefined || clientId === undefined) throw new Error('a grant is of a user for a client')
  return { id: kept.jti, accountId, clientId, payload: { ...payload, kind: provider.Grant.name }, ttlSeconds: kept.remainingTTL }
}

// What the engine's own types do not tell of a model.
interface Engine {
  generateTokenId(): string
  getValueAndPayload(): Promise<{ payload: Record<string, unknown> }>
}

/** Whether a session still counts; what ends it waits until this transaction is over. To be asked first in the transaction. */
export const isGateOpen = async (tx: TransactionClient, session: { readonly accountId: string; readonly sid: string; readonly provenAt: Date }) => {
  const gate = `WITH ${accessGate({ accountId: '$1', uid: '$2', provenAt: '$3' })} SELECT is_open AS "isOpen" FROM gate`
  const [row] = await tx.$queryRawUnsafe<{ isOpen: boolean }[]>(gate, session.accountId, session.sid, session.provenAt.getTime() / 1000)
  return row?.isOpen === true
}

/** Keeps it. */
export const insertGrant = async (tx: TransactionClient, { id, accountId, clientId, payload, ttlSeconds }: NewGrant): Promise<void> => {
  const key = new Uint8Array(hashOf('Grant', id))
  await tx.$executeRaw`
    INSERT INTO oidc_artifacts (key, kind, payload, grant_id, account_id, client_id, expires_at)
    VALUES (${key}, 'Grant', ${JSON.stringify(payload)}::json, ${id}, ${accountId}, ${clientId}, now() + make_interval(secs => ${ttlSeconds}::float8))`
}

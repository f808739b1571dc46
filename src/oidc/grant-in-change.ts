// Keeps a grant in the transaction of a change, so that what was decided and what it grants are there together or not at all.
import type Provider from 'oidc-provider'
import type { AdapterPayload, Grant } from 'oidc-provider'
import type { TransactionClient } from '../platform/data/database.ts'
import { hashOf } from '../platform/secrets.ts'
import { accessGate } from './access-gate.ts'
import { type Artifact, toArtifact } from './artifact.ts'
import { grown } from './grown-grant.ts'
import { isSinceEnds } from './lineage.ts'

/** A grant that is to be kept. */
export type NewGrant = Artifact & { readonly accountId: string; readonly clientId: string }

/** Makes one of a grant of the engine that was not saved, or that grew. */
export const toNewGrant = async (provider: Provider, grant: Grant): Promise<NewGrant> => {
  const kept = grant as Grant & Engine
  kept.jti ??= kept.generateTokenId()
  const { payload } = await kept.getValueAndPayload()
  const { accountId, clientId } = grant
  if (accountId === undefined || clientId === undefined) throw new Error('a grant is of a user for a client')
  return { ...toArtifact('Grant', { id: kept.jti, payload: { ...payload, kind: provider.Grant.name }, expiresIn: kept.remainingTTL }), accountId, clientId }
}

// What the engine's own types do not tell of a model.
interface Engine {
  generateTokenId(): string
  getValueAndPayload(): Promise<{ payload: AdapterPayload }>
}

/** Whether a session still counts; what ends it waits until this transaction is over. To be asked first in the transaction. */
export const isGateOpen = async (tx: TransactionClient, session: { readonly accountId: string; readonly sid: string; readonly provenAt: Date }) => {
  const gate = `WITH ${accessGate({ accountId: '$1', uid: '$2', provenAt: '$3' })} SELECT is_open AS "isOpen" FROM gate`
  const [row] = await tx.$queryRawUnsafe<{ isOpen: boolean }[]>(gate, session.accountId, session.sid, session.provenAt.getTime() / 1000)
  return row?.isOpen === true
}

const put = `
  INSERT INTO oidc_artifacts AS a (key, kind, payload, grant_id, account_id, client_id, uid, organization_id, expires_at)
  VALUES ($1, 'Grant', $2::json, $3, $4, $5, $6, $7, now() + make_interval(secs => $8::float8))
  ON CONFLICT (key) DO UPDATE SET payload = ${grown('a.payload', 'excluded.payload')}, expires_at = excluded.expires_at WHERE a.revoked_at IS NULL
  RETURNING ${isSinceEnds('a')} AS "isLiving"`

/** Keeps it, or lets it grow. Answers false where one of its id ended: that is not kept again. */
export const putGrantIn = async (tx: TransactionClient, { id, payload, accountId, clientId, uid, organizationId, ttlSeconds }: NewGrant): Promise<boolean> => {
  const values = [hashOf('Grant', id), JSON.stringify(payload), id, accountId, clientId, uid ?? null, organizationId ?? null, ttlSeconds]
  const [row] = await tx.$queryRawUnsafe<{ isLiving: boolean }[]>(put, ...values)
  return row?.isLiving === true
}

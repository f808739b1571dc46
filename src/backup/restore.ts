// Puts a backup back: all of it is read and checked before the database is touched, and written in one transaction.
import type { EndedAgent, EndHeldAgents } from '../clients/agent.ts'
import { systemActor } from '../platform/actor.ts'
import type { Database } from '../platform/data/database.ts'
import { createAppendEvents, type NewEvent } from '../platform/data/event-append.ts'
import type { LastingKey } from '../platform/data/lasting-keys.ts'
import { rawTransaction } from '../platform/data/raw-transaction.ts'
import { refill } from '../platform/data/refill.ts'
import type { Connection } from '../platform/data/tables.ts'
import type { Secrets } from '../platform/secrets.ts'
import { BackupError, type Header, type Told } from './backup.ts'
import { type Cipher, isKeyKnown } from './cipher.ts'
import { endOld } from './ends.ts'
import { type Erased, type Erasure, eraseAgain, readErasures } from './erasures.ts'
import { verifyBackup, withBackup } from './read.ts'

interface Needs {
  readonly secrets: Secrets
  /** The same with the lasting keys of the backup, by which its audit log goes on. */
  readonly secretsOver: (keys: readonly LastingKey[]) => Secrets
  readonly now: () => Date
  readonly newUuid: () => string
  /** What is run with each insertion of events, as where the server writes them: so that webhooks are told. */
  readonly outbox: string
  /** How agents end where the server ends them. */
  readonly endAgents: EndHeldAgents
}

/** What a restore tells. */
export interface Restored extends Told {
  /** The signing keys that are good now, by `kid`: those that were revoked since the backup are among them. */
  readonly liveKeys: readonly string[]
  /** Who and what was deleted since the backup, and was deleted again. */
  readonly erased: readonly Erased[]
}

interface Wanted {
  readonly cipher: Cipher
  /** Begins to read the backup, each time anew. */
  readonly read: () => AsyncIterable<Uint8Array>
  /** Opens the database, once the backup is known to be whole. */
  readonly open: () => Promise<Database>
  /** Whether what the database holds is thrown away; else it must hold nothing. */
  readonly isReplaced?: boolean
  /** Whether sign-ins go on: sessions, grants and tokens, those that were ended since the backup among them. */
  readonly areSessionsKept?: boolean
  /** Whether those live again who were deleted since the backup; else they are deleted again, as far as the database that is thrown away knows of them. */
  readonly areDeletedRevived?: boolean
  /** Who else was deleted since, as is known from elsewhere. */
  readonly toldErasures?: readonly Erasure[]
  /** Called once all is done but the commit: whether that came to be is only known afterwards. */
  readonly beforeCommit?: () => void
}

/**
 * Restores one and tells what it holds. Throws a BackupError `key_wrong`, `secret_key_other`, `version_unknown` or `damaged`, or a
 * RefillError: then nothing has changed.
 */
export async function restore(
  needs: Needs,
  { cipher, read, open, isReplaced = false, areSessionsKept = false, areDeletedRevived = false, toldErasures = [], beforeCommit }: Wanted,
): Promise<Restored> {
  const { header } = await verifyBackup({ bytes: read(), cipher })
  if (!isKeyKnown(needs.secrets, header))
    throw new BackupError('secret_key_other', 'The backup was made under another SECRET_KEY: without that one no factor, key or secret in it can be opened.')
  const database = await open()
  try {
    let liveKeys: readonly string[] = []
    let erasures = toldErasures
    let erased: readonly Erased[] = []
    const begin = async (client: Connection) => {
      if (!areDeletedRevived) erasures = [...toldErasures, ...(await readErasures(client, header.created_at))]
    }
    const finish = async (client: Connection) => {
      await endOld(client, { areSessionsKept })
      const again = await eraseAgain(client, { erasures, endAgents: needs.endAgents })
      erased = again.erased
      liveKeys = await readLiveKeys(client)
      await record(client, { needs, events: [restoredEvent(header, areSessionsKept), ...erased.map(erasedEvent), ...again.agents.map(endedEvent)] })
      beforeCommit?.()
    }
    // Read anew, and checked anew on the way: what is damaged meanwhile is rolled back.
    const tables = await withBackup({ bytes: read(), cipher }, async ({ source }) => refill(database, { source, isReplaced, begin, finish }))
    return { header, tables, liveKeys, erased }
  } finally {
    await database.close()
  }
}

const readLiveKeys = async (client: Connection): Promise<readonly string[]> => {
  const { rows } = await client.query<{ kid: string }>(`SELECT kid FROM signing_keys WHERE state <> 'revoked' ORDER BY kid COLLATE "C"`)
  return rows.map(({ kid }) => kid)
}

const record = async (client: Connection, { needs, events }: { needs: Needs; events: readonly NewEvent[] }) => {
  const { rows } = await client.query<LastingKey>('SELECT purpose, sealed FROM lasting_keys')
  await createAppendEvents({ ...needs, secrets: needs.secretsOver(rows) })(rawTransaction(client), events)
}

const ofSystem = { outcome: 'kept', actor_kind: systemActor.kind, actor_id: null, organization_id: null, request_id: null, ip: null, user_agent: null }

const restoredEvent = ({ id, created_at }: Header, areSessionsKept: boolean): NewEvent => ({
  ...ofSystem,
  action: 'backup.restored',
  target_kind: 'backup',
  target_id: id,
  target: { id, created_at, kept_sessions: areSessionsKept },
})

const erasedEvent = ({ kind, id, shown }: Erased): NewEvent => ({
  ...ofSystem,
  action: `${kind}.deleted`,
  target_kind: kind,
  target_id: id,
  target: { id, ...shown, reason: 'deleted_before_restore' },
  organization_id: kind === 'organization' ? id : null,
})

const endedEvent = ({ id, clientId, name, organizationId }: EndedAgent): NewEvent => ({
  ...ofSystem,
  action: 'client.access_ended',
  target_kind: 'client',
  target_id: id,
  target: { id, client_id: clientId, name },
  organization_id: organizationId ?? null,
})

// What a person has let clients do, for the person to see and to take back.
import { z } from 'zod'
import type { Actor } from '../platform/actor.ts'
import { type Change, event } from '../platform/data/change.ts'
import { type Database, statement } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'

/** What a person has let one client do. */
export interface Consent {
  readonly clientId: string
  readonly name: string
  /** As it was registered. */
  readonly logoUri?: string
  /** The same picture on our own origin. */
  readonly logoUrl?: string
  readonly scopes: readonly string[]
  readonly resources: Readonly<Record<string, readonly string[]>>
  readonly grantedAt: Date
}

/** The consents of people. */
export interface Consents {
  /** By client, the newest first. */
  list(userId: string): Promise<readonly Consent[]>
  /** Takes back all that was granted to a client: its tokens die with it. Throws `not_found`. */
  revoke(actor: Actor, consent: { readonly userId: string; readonly clientId: string }): Promise<void>
}

/** The events of taking consent back. */
export const consentEvents = { 'consent.revoked': event('grant', { client_id: z.string() }) }

const grantsOf = statement(
  'consents-of-user',
  `SELECT a.client_id, a.payload, a.created_at, c.name, c.metadata ->> 'logo_uri' AS logo_uri,
     (SELECT encode(i.image_hash, 'hex') FROM image_addresses i WHERE i.address = sha256(convert_to(c.metadata ->> 'logo_uri', 'UTF8'))) AS logo_hash
   FROM oidc_artifacts a JOIN clients c ON c.client_id = a.client_id
   WHERE a.account_id = $1 AND a.kind = 'Grant' AND a.lineage IS NULL AND a.revoked_at IS NULL AND (a.expires_at IS NULL OR a.expires_at > now()) AND c.deleted_at IS NULL
   ORDER BY a.created_at DESC LIMIT 1000`,
)

interface Row {
  readonly client_id: string
  readonly payload: unknown
  readonly created_at: Date
  readonly name: string
  readonly logo_uri: string | null
  readonly logo_hash: string | null
}

const grantPayload = z.object({
  openid: z.object({ scope: z.string().optional() }).optional(),
  resources: z.record(z.string(), z.string()).optional(),
})

/** Makes the service. */
export const createConsents = ({ database, change }: { database: Database; change: Change }): Consents => ({
  list: async userId => {
    const rows = await database.run<Row>(grantsOf, [userId])
    const byClient = Map.groupBy(rows, row => row.client_id)
    return [...byClient.values()].map(toConsent)
  },
  revoke: (actor, { userId, clientId }) =>
    change(actor, async (tx, record) => {
      // A session may hold several grants of one client: all of them become tombstones, under which nothing lives.
      const ended = await tx.$executeRaw`
        UPDATE oidc_artifacts SET revoked_at = now(), payload = '{}'
        WHERE account_id = ${userId} AND client_id = ${clientId} AND kind = 'Grant' AND revoked_at IS NULL`
      if (ended === 0) throw new Problem('not_found')
      record('consent.revoked', { client_id: clientId })
    }),
})

const toConsent = (rows: readonly Row[]): Consent => {
  const [newest] = rows
  if (!newest) throw new Error('a group is never empty')
  const granted = rows.map(row => grantPayload.parse(row.payload))
  const resources = Object.groupBy(
    granted.flatMap(({ resources: given = {} }) => Object.entries(given)),
    ([indicator]) => indicator,
  )
  return {
    clientId: newest.client_id,
    name: newest.name,
    logoUri: newest.logo_uri ?? undefined,
    logoUrl: newest.logo_hash === null ? undefined : `/assets/images/${newest.logo_hash}`,
    scopes: words(granted.map(({ openid }) => openid?.scope ?? '')),
    resources: Object.fromEntries(Object.entries(resources).map(([indicator, entries = []]) => [indicator, words(entries.map(([, scopes]) => scopes))])),
    grantedAt: rows.at(-1)?.created_at ?? newest.created_at,
  }
}

const words = (lists: readonly string[]) => [...new Set(lists.flatMap(list => list.split(' ')).filter(Boolean))]

// What a person has let clients do, in each organization and beside them, for the person to see and to take back.
import { z } from 'zod'
import type { FindAgentOwners } from '../clients/agent-owner.ts'
import { type ClientSource, toSource } from '../clients/client.ts'
import { sourceIn } from '../clients/living.ts'
import type { Actor } from '../platform/actor.ts'
import { type Change, event } from '../platform/data/change.ts'
import { type Database, statement } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import { unaskedClaims } from './asked-consent.ts'
import type { Endings } from './endings.ts'
import { isSinceEnds } from './lineage.ts'

/** What a person has let one client do, in one organization or in none. */
export interface Consent {
  readonly clientId: string
  readonly name: string
  readonly source: ClientSource
  /** Whose agent it is: a person's address, or an organization's name. */
  readonly agentOf?: string | undefined
  /** As it was registered. */
  readonly logoUri?: string
  /** The same picture on our own origin. */
  readonly logoUrl?: string
  /** Absent: it is for none. */
  readonly organization?: { readonly id: string; readonly slug: string; readonly name: string }
  readonly scopes: readonly string[]
  /** Single ones, by the `claims` parameter (OpenID Connect Core §5.5). */
  readonly claims: readonly string[]
  readonly resources: Readonly<Record<string, readonly string[]>>
  readonly grantedAt: Date
}

/** The consents of people. */
export interface Consents {
  /** By client and organization, the newest first. */
  list(userId: string): Promise<readonly Consent[]>
  /**
   * Takes back what was granted to a client: its tokens die with it, and where nothing is left it is told that its sessions ended. Of one
   * organization alone where it is named, of none with `null`, else all. Throws `not_found`.
   */
  revoke(actor: Actor, consent: { readonly userId: string; readonly clientId: string; readonly organizationId?: string | null | undefined }): Promise<void>
}

/** The events of taking consent back. */
export const consentEvents = { 'consent.revoked': event('grant', { client_id: z.string(), organization_id: z.string().optional() }) }

const grantsOf = statement(
  'consents-of-user',
  `SELECT a.client_id, a.payload, a.created_at, o.id AS organization_id, o.slug, o.name AS organization_name, c.name, ${sourceIn('c')} AS source, c.metadata ->> 'logo_uri' AS logo_uri,
     (SELECT encode(i.image_hash, 'hex') FROM image_addresses i WHERE i.address = sha256(convert_to(c.metadata ->> 'logo_uri', 'UTF8'))) AS logo_hash
   FROM oidc_artifacts a JOIN clients c ON c.client_id = a.client_id LEFT JOIN organizations o ON o.id::text = a.organization_id AND o.deleted_at IS NULL
   WHERE a.account_id = $1 AND a.kind = 'Grant' AND a.lineage IS NULL AND a.revoked_at IS NULL AND (a.expires_at IS NULL OR a.expires_at > now()) AND c.deleted_at IS NULL
     AND ${isSinceEnds('a')} AND (a.organization_id IS NULL OR o.id IS NOT NULL)
   ORDER BY a.created_at DESC LIMIT 1000`,
)

interface Row {
  readonly client_id: string
  readonly payload: unknown
  readonly created_at: Date
  readonly organization_id: string | null
  readonly slug: string | null
  readonly organization_name: string | null
  readonly name: string
  readonly source: string
  readonly logo_uri: string | null
  readonly logo_hash: string | null
}

const grantPayload = z.object({
  openid: z.object({ scope: z.string().optional(), claims: z.array(z.string()).optional() }).optional(),
  resources: z.record(z.string(), z.string()).optional(),
})

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly endings: Endings
  readonly findAgentOwners: FindAgentOwners
}

/** Makes the service. */
export const createConsents = ({ database, change, endings, findAgentOwners }: Needs): Consents => ({
  list: async userId => {
    const rows = await database.run<Row>(grantsOf, [userId])
    const byPlace = Map.groupBy(rows, row => `${row.client_id}\0${row.organization_id}`)
    const owners = await findAgentOwners([...new Set(rows.map(row => row.client_id))])
    return [...byPlace.values()].map(toConsent).map(consent => ({ ...consent, agentOf: owners.get(consent.clientId) }))
  },
  revoke: (actor, { userId, clientId, organizationId }) =>
    change(actor, async (tx, record) => {
      // First, as whoever ends the person's access does: neither then waits for the other.
      await tx.$queryRaw`SELECT id FROM users WHERE id = ${userId}::uuid FOR SHARE`
      // A session may hold several grants of one client: all of them become tombstones, under which nothing lives. In the order of all endings.
      const ended = await tx.$executeRaw`
        WITH held AS (
          SELECT key FROM oidc_artifacts WHERE account_id = ${userId} AND client_id = ${clientId} AND kind = 'Grant' AND revoked_at IS NULL
            AND (${organizationId === undefined}::boolean OR organization_id IS NOT DISTINCT FROM ${organizationId ?? null}::text) ORDER BY key FOR UPDATE
        ) UPDATE oidc_artifacts a SET revoked_at = now(), payload = '{}' FROM held WHERE a.key = held.key AND a.revoked_at IS NULL`
      if (ended === 0) throw new Problem('not_found')
      const left = await tx.$queryRaw<unknown[]>`
        SELECT 1 FROM oidc_artifacts WHERE account_id = ${userId} AND client_id = ${clientId} AND kind = 'Grant' AND revoked_at IS NULL LIMIT 1`
      if (left.length === 0) await endings.ofClients(tx, { userId }, [clientId])
      record('consent.revoked', { client_id: clientId, organization_id: organizationId ?? undefined })
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
    source: toSource(newest.source),
    logoUri: newest.logo_uri ?? undefined,
    logoUrl: newest.logo_hash === null ? undefined : `/assets/images/${newest.logo_hash}`,
    ...organizationOf(newest),
    scopes: words(granted.map(({ openid }) => openid?.scope ?? '')),
    claims: [...new Set(granted.flatMap(({ openid }) => openid?.claims ?? []))].filter(claim => !unaskedClaims.has(claim)),
    resources: Object.fromEntries(Object.entries(resources).map(([indicator, entries = []]) => [indicator, words(entries.map(([, scopes]) => scopes))])),
    grantedAt: rows.at(-1)?.created_at ?? newest.created_at,
  }
}

const organizationOf = ({ organization_id: id, slug, organization_name: name }: Row) => (id && slug && name ? { organization: { id, slug, name } } : {})

const words = (lists: readonly string[]) => [...new Set(lists.flatMap(list => list.split(' ')).filter(Boolean))]

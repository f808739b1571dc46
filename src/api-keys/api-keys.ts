// API keys: told once, kept as a hash, used until they expire or are revoked.
import type { Actor } from '../platform/actor.ts'
import { holdAuthority } from '../platform/context.ts'
import type { Change } from '../platform/data/change.ts'
import { type Database, type Prisma, statement } from '../platform/data/database.ts'
import { noteAside } from '../platform/data/note-aside.ts'
import { type Found, type PageRequest, pageOf } from '../platform/data/page.ts'
import { Problem } from '../platform/errors.ts'
import { hashOf } from '../platform/secrets.ts'
import { type ApiKey, apiKeyPrefix } from './api-key.ts'

/** What a new key is made of. */
export interface NewApiKey {
  readonly name: string
  readonly organizationId?: string
  readonly permissions: readonly string[]
  readonly expiresAt?: Date
}

/** What a key that was presented allows. */
export interface PresentedKey {
  readonly id: string
  readonly organizationId?: string
  readonly permissions: readonly string[]
}

/** The API keys of the system and of its organizations. */
export interface ApiKeys {
  /** The key is told only here. Throws `not_found` for an organization that is none. */
  create(actor: Actor, key: NewApiKey): Promise<{ apiKey: ApiKey; key: string }>
  /** A key that lives, of an organization that lives; notes at most once a minute that it was used. */
  findByKey(key: string): Promise<PresentedKey | undefined>
  find(id: string): Promise<ApiKey | undefined>
  /** The keys of an organization, or of the system, the newest first. */
  list(organizationId: string | undefined, page: PageRequest): Promise<Found<ApiKey>>
  /** Throws `not_found`. */
  revoke(actor: Actor, id: string): Promise<void>
}

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly randomBytes: (size: number) => Buffer
  readonly now: () => Date
}

interface KeyRow {
  id: string
  organization_id: string | null
  permissions: string[]
  is_stale: boolean
}

const byHash = statement(
  'api-key-by-hash',
  `SELECT k.id, k.organization_id, k.permissions, coalesce(k.last_used_at < now() - interval '1 minute', true) AS is_stale
   FROM api_keys k LEFT JOIN organizations o ON o.id = k.organization_id
   WHERE k.hash = $1 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now()) AND (k.organization_id IS NULL OR o.deleted_at IS NULL)`,
)
const use = statement(
  'api-key-use',
  `UPDATE api_keys SET last_used_at = now() WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')`,
)
const hintLength = apiKeyPrefix.length + 4

/** Makes the service. */
export const createApiKeys = ({ database, change, randomBytes, now }: Needs): ApiKeys => ({
  create: async (actor, { name, organizationId, permissions, expiresAt }) => {
    const key = `${apiKeyPrefix}${randomBytes(32).toString('base64url')}`
    const row = await change(actor, async (tx, record) => {
      if (organizationId !== undefined && !(await tx.organization.findFirst({ where: { id: organizationId, deletedAt: null }, select: { id: true } })))
        throw new Problem('not_found')
      const made = await tx.apiKey.create({
        data: {
          name,
          organizationId,
          permissions: [...permissions],
          expiresAt,
          createdBy: actor.userId,
          hash: new Uint8Array(hashOf('api-key', key)),
          hint: key.slice(0, hintLength),
        },
      })
      record('api_key.created', made, { organizationId })
      return made
    })
    return { apiKey: toApiKey(row), key }
  },
  findByKey: async key => {
    const [row] = await database.run<KeyRow>(byHash, [hashOf('api-key', key)])
    if (!row) return undefined
    if (row.is_stale) await noteAside(() => database.run(use, [row.id]))
    return { id: row.id, organizationId: row.organization_id ?? undefined, permissions: row.permissions }
  },
  find: async id => {
    const row = await database.prisma.apiKey.findFirst({ where: { id, revokedAt: null } })
    return row ? toApiKey(row) : undefined
  },
  list: async (organizationId, page) => {
    const where: Prisma.ApiKeyWhereInput = { organizationId: organizationId ?? null, revokedAt: null }
    const [rows, total] = await Promise.all([database.prisma.apiKey.findMany(pageOf(where, page)), database.prisma.apiKey.count({ where })])
    return { rows: rows.map(toApiKey), total }
  },
  revoke: (actor, id) =>
    change(actor, async (tx, record) => {
      // What the key is changing commits before, or not at all.
      await tx.$executeRaw`SELECT 1 FROM api_keys WHERE id = ${id}::uuid FOR UPDATE`
      await holdAuthority(tx)
      const [row] = await tx.apiKey.updateManyAndReturn({ where: { id, revokedAt: null }, data: { revokedAt: now() } })
      if (!row) throw new Problem('not_found')
      record('api_key.revoked', row, { organizationId: row.organizationId ?? undefined })
    }),
})

type Row = Omit<ApiKey, 'organizationId' | 'createdBy' | 'lastUsedAt' | 'expiresAt'> & {
  readonly organizationId: string | null
  readonly createdBy: string | null
  readonly lastUsedAt: Date | null
  readonly expiresAt: Date | null
}

const toApiKey = ({ id, organizationId, name, hint, permissions, createdBy, lastUsedAt, expiresAt, createdAt }: Row): ApiKey => ({
  id,
  organizationId: organizationId ?? undefined,
  name,
  hint,
  permissions,
  createdBy: createdBy ?? undefined,
  lastUsedAt: lastUsedAt ?? undefined,
  expiresAt: expiresAt ?? undefined,
  createdAt,
})

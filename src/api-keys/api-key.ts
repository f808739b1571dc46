// The words of this slice: API keys, and what is told of them.
import { z } from 'zod'
import { event } from '../platform/data/change.ts'

/** What an API key begins with. */
export const apiKeyPrefix = 'authy2_'

/** A key for a machine. */
export interface ApiKey {
  readonly id: string
  readonly organizationId?: string
  readonly name: string
  readonly hint: string
  readonly permissions: readonly string[]
  /** The person who made it; absent where a machine or the server did. */
  readonly createdBy?: string
  readonly lastUsedAt?: Date
  readonly expiresAt?: Date
  readonly createdAt: Date
}

/** An API key as the API tells of one: never the key itself. */
export const apiKeyOutput = z.object({
  id: z.uuid(),
  organization_id: z.uuid().nullable(),
  name: z.string(),
  hint: z.string(),
  permissions: z.array(z.string()),
  created_by: z.uuid().nullable(),
  last_used_at: z.iso.datetime().nullable(),
  expires_at: z.iso.datetime().nullable(),
  created_at: z.iso.datetime(),
})

/** Turns a key into what {@link apiKeyOutput} lets through. */
export const toApiKeyOutput = (key: ApiKey): z.input<typeof apiKeyOutput> => ({
  id: key.id,
  organization_id: key.organizationId ?? null,
  name: key.name,
  hint: key.hint,
  permissions: [...key.permissions],
  created_by: key.createdBy ?? null,
  last_used_at: key.lastUsedAt?.toISOString() ?? null,
  expires_at: key.expiresAt?.toISOString() ?? null,
  created_at: key.createdAt.toISOString(),
})

const shape = { name: z.string(), hint: z.string(), permissions: z.array(z.string()) }

/** The events of this slice. */
export const apiKeyEvents = { 'api_key.created': event('api_key', shape), 'api_key.revoked': event('api_key', shape) }

// Connections as the API takes and gives them.
import { z } from 'zod'
import { name, text } from '../platform/http/text.ts'
import type { AdministeredConnection, ConnectionChanges } from './administered.ts'
import { membershipSchema } from './connection.ts'

const given = z.record(text(100), z.json())

const own = {
  name: name(100),
  settings: given,
  secrets: given,
  creates_users: z.boolean(),
  position: z.int().min(0).max(10_000),
  disabled: z.boolean(),
  /** Settings as the provider's own document says them, instead of or beneath `settings`. */
  metadata_xml: text(100_000),
  metadata_url: z.url({ protocol: /^https?$/ }).max(2000),
}

/** What only a connection of the system has. */
export const systemFields = { trusts_emails: z.boolean().optional() }

/** What only a connection of an organization has. */
export const organizationFields = { membership: membershipSchema.optional() }

/** What a connection may be changed to. */
export const connectionBody = z.strictObject(own).partial()

/** What a new one is made of. */
export const newConnectionBody = connectionBody.extend({ connector: text(50) })

/** What not every body may say. */
export interface OwnersFields {
  readonly trusts_emails?: boolean | undefined
  readonly membership?: z.output<typeof membershipSchema> | undefined
}

/** A connection as it is told. */
export const connectionOutput = z.object({
  id: z.uuid(),
  organization_id: z.uuid().nullable(),
  connector: z.string(),
  name: z.string(),
  origin: z.enum(['api', 'settings']),
  settings: z.record(z.string(), z.json()),
  secrets: z.array(z.object({ name: z.string(), set_at: z.iso.datetime().nullable() })),
  trusts_emails: z.boolean(),
  creates_users: z.boolean(),
  membership: z.object({ default: z.string(), claim: z.string().nullable(), roles: z.array(z.object({ value: z.string(), role: z.string() })) }).nullable(),
  position: z.int(),
  disabled: z.boolean(),
  available: z.boolean(),
  callback_url: z.string(),
  entity_id: z.string(),
  metadata_url: z.string().nullable(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
})

/** A kind of provider as it is told. */
export const connectorOutput = z.object({
  id: z.string(),
  name: z.string(),
  settings: z.record(z.string(), z.json()),
  secrets: z.array(z.string()),
  reads_metadata: z.boolean(),
})

/** What a test looked at. */
export const findingOutput = z.object({ check: z.string(), good: z.boolean(), detail: z.string().nullable() })

/** Turns a body into changes. */
export const toChanges = (body: z.output<typeof connectionBody> & OwnersFields): ConnectionChanges => ({
  name: body.name,
  settings: body.settings,
  secrets: body.secrets,
  createsUsers: body.creates_users,
  position: body.position,
  isDisabled: body.disabled,
  trustsEmails: body.trusts_emails,
  membership: body.membership,
})

/** Turns a connection into what {@link connectionOutput} lets through. */
export const toConnectionOutput = (connection: AdministeredConnection): z.input<typeof connectionOutput> => ({
  id: connection.id,
  organization_id: connection.organizationId ?? null,
  connector: connection.connector,
  name: connection.name,
  origin: connection.origin === 'settings' ? 'settings' : 'api',
  settings: z.record(z.string(), z.json()).parse(connection.settings),
  secrets: connection.secrets.map(({ name, setAt }) => ({ name, set_at: setAt ?? null })),
  trusts_emails: connection.trustsEmails,
  creates_users: connection.createsUsers,
  membership: connection.organizationId === undefined ? null : { ...connection.membership, claim: connection.membership.claim ?? null },
  position: connection.position,
  disabled: connection.isDisabled,
  available: connection.isAvailable,
  callback_url: connection.callbackUrl,
  entity_id: connection.entityId,
  metadata_url: connection.metadataUrl ?? null,
  created_at: connection.createdAt.toISOString(),
  updated_at: connection.updatedAt.toISOString(),
})

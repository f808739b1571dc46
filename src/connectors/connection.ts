// The words of this slice: a connection is an upstream provider as somebody configured it, an identity is what it knows of a user.
import { z } from 'zod'
import { event } from '../platform/data/change.ts'
import { uuid } from '../platform/http/text.ts'
import type { Configured } from './connector.ts'

/** The id of a connection. */
export const connectionIdSchema = uuid.brand('ConnectionId')

/** The id of a connection. */
export type ConnectionId = z.output<typeof connectionIdSchema>

/** Which role its people get when they join the organization. */
export const membershipSchema = z.strictObject({
  /** The name of a role of the organization. */
  default: z.string().min(1).max(64).default('member'),
  /** The upstream claim or attribute that is mapped: text, a number, or a list of them. */
  claim: z.string().min(1).max(255).optional(),
  /** From a value of the claim to the name of a role; the first that matches counts. A list: the keys of an object would not keep their order. */
  roles: z.array(z.strictObject({ value: z.string().min(1).max(255), role: z.string().min(1).max(64) })).default([]),
})

/** Which role its people get when they join the organization. */
export type MembershipRule = z.output<typeof membershipSchema>

/** The roles that a rule may hand out. */
export const rolesOf = (rule: MembershipRule | undefined): readonly string[] => (rule ? [rule.default, ...rule.roles.map(({ role }) => role)] : [])

/** A connection that can be used: enabled, its organization living, its connector known. */
export interface Connection {
  readonly id: ConnectionId
  readonly organizationId?: string
  /** The id of its connector. */
  readonly connector: string
  readonly name: string
  readonly trustsEmails: boolean
  readonly createsUsers: boolean
  readonly membership: MembershipRule
  readonly configured: Configured
  /** What its subjects are unique within. */
  readonly authority: string
}

/** What a button needs to know of it. */
export interface ConnectionButton {
  readonly id: string
  readonly connector: string
  readonly name: string
  /** The connector whose brand's mark it may show. */
  readonly mark?: string | undefined
  /** The name of the organization that runs it; absent: it is the system's. */
  readonly organization?: string | undefined
}

/** Which connections the pages of a client offer. */
export interface ConnectionRule {
  /** The client's organization, whose connections are offered beside those of the system. */
  readonly organizationId?: string | undefined
  /** Those that the client names; absent: all. */
  readonly clientConnections?: readonly string[] | undefined
  /** Whether the client is the operator's own. */
  readonly isFirstParty?: boolean | undefined
}

const connection = event('connection', { connector: z.string(), name: z.string(), changed: z.array(z.string()).optional() })
const identity = event('identity', { connection_id: z.string(), connector: z.string(), user_id: z.string() })
const domain = event('domain', { domain: z.string(), connection_id: z.string().nullable().optional() })

/** The events of this slice. Subjects and addresses are never told. */
export const connectorEvents = {
  'connection.created': connection,
  'connection.updated': connection,
  'connection.deleted': connection,
  'connection.restored': connection,
  'connection.purged': event('connection', { connector: z.string() }),
  'connection.identities_unlinked': event('connection', { connector: z.string(), count: z.number() }),
  'connection.tested': event('connection', { connector: z.string(), name: z.string(), is_good: z.boolean() }),
  'domain.created': domain,
  'domain.updated': domain,
  'domain.proven': domain,
  'domain.unproven': domain,
  'domain.deleted': domain,
  'identity.linked': identity,
  'identity.unlinked': identity,
  'identity.refused': event('user', { connector: z.string(), reason: z.string() }),
}

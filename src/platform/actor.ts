// Who is asking, as every change needs to know it.

/** What somebody may do in one organization. */
export interface Membership {
  readonly role: string
  readonly permissions: ReadonlySet<string>
  /** What they could do here with a second factor, which the organization requires and their session lacks: without one nothing. */
  readonly withheld?: ReadonlySet<string>
}

/** Made at the entrance, first argument of every change. */
export interface Actor {
  readonly kind: 'anonymous' | 'user' | 'client' | 'api_key' | 'system'
  readonly id?: string
  /** The person on whose behalf something is asked; absent for keys, machines and the server itself. */
  readonly userId?: string
  /** The agent by which the person acts, as its `client_id`. */
  readonly agentId?: string
  /** The session of the API that the caller's token belongs to. */
  readonly sessionId?: string
  /** When a person proved who they are, where they act in a sign-in that has no session yet. */
  readonly provenAt?: Date | undefined
  /** Whether a person proved two factors in the session that they act in, or that their token is of. */
  readonly hasTwoFactors?: boolean
  /** When the person's access had last ended as they were identified. */
  readonly accessEndedAt?: Date
  /** The scopes of the access token that they came by, where they came by one. */
  readonly tokenScopes?: ReadonlySet<string>
  /** What they may do in the whole system, and so in every organization. */
  readonly permissions: ReadonlySet<string>
  /** What they may do in single organizations, by the organization's id. */
  readonly memberships?: ReadonlyMap<string, Membership>
  /** The one organization that an API key or client belongs to; absent for those of the system. */
  readonly organizationId?: string
  readonly requestId?: string
  readonly ip?: string
  readonly userAgent?: string
  /** What they are spoken to in where they chose nothing themselves, as a BCP 47 tag: the language of the page or of the request. */
  readonly language?: string
}

/** The server itself: start-up, scripts and jobs. */
export const systemActor: Actor = { kind: 'system', permissions: new Set() }

/** Whether the actor may do something: in the whole system, or in the organization that is named. */
export const can = (actor: Actor, permission: string, organizationId?: string): boolean =>
  actor.permissions.has(permission) || (organizationId !== undefined && (actor.memberships?.get(organizationId)?.permissions.has(permission) ?? false))

/** Whether the actor may do something in the whole system or in any organization. */
export const canSomewhere = (actor: Actor, permission: string): boolean =>
  actor.permissions.has(permission) || [...(actor.memberships?.values() ?? [])].some(membership => membership.permissions.has(permission))

/** Whether an organization may be told to exist: to its members and keys, and to those who act for the whole system. */
export const seesOrganization = (actor: Actor, organizationId: string): boolean => {
  if (actor.memberships?.has(organizationId) || actor.permissions.has('organizations:read')) return true
  return (actor.kind === 'api_key' || actor.kind === 'client') && actor.organizationId === undefined
}

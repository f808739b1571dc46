// All that is kept of a person, for the person to take away (GDPR articles 15 and 20): never a secret, never somebody else.
import type { AuditEvent } from '../audit/audit-event.ts'
import type { AuditLog } from '../audit/audit-log.ts'
import type { Identities } from '../connectors/identities.ts'
import type { Authenticators } from '../mfa/authenticators.ts'
import type { Members } from '../organizations/members.ts'
import type { ApiSessions } from '../sessions/api-sessions.ts'
import type { UserAdministration } from './administration.ts'
import { toUserOutput, type UserId } from './user.ts'

/** What a person has let a client do. */
interface Consent {
  readonly clientId: string
  readonly name: string
  readonly organization?: { readonly id: string }
  readonly scopes: readonly string[]
  readonly grantedAt: Date
}

/** An agent that a person made. */
interface Agent {
  readonly clientId: string
  readonly name: string
  readonly redirectUris: readonly string[]
  /** Its public keys stand under `jwks`. */
  readonly metadata: Readonly<Record<string, unknown>>
  readonly isDisabled: boolean
  readonly createdAt: Date
  readonly lastUsedAt?: Date
  readonly deletedAt?: Date
}

/** A document in plain JSON, under the names of the API. */
export type PersonalData = Readonly<Record<string, unknown>>

/** Gathers it. Throws `not_found` for a user that is not there. */
export type CollectPersonalData = (userId: UserId) => Promise<PersonalData>

interface Needs {
  readonly userAdministration: UserAdministration
  readonly members: Members
  readonly apiSessions: ApiSessions
  readonly authenticators: Authenticators
  readonly identities: Pick<Identities, 'listKept'>
  readonly auditLog: Pick<AuditLog, 'newest'>
  readonly consents: { list(userId: string): Promise<readonly Consent[]> }
  readonly listAgents: (userId: string, which?: { readonly isDeleted: boolean }) => Promise<readonly Agent[]>
  readonly now: () => Date
}

const newestSessions = 100
const newestEvents = 1000

/** Makes it. */
export const createCollectPersonalData =
  ({ userAdministration, members, apiSessions, authenticators, identities, auditLog, consents, listAgents, now }: Needs): CollectPersonalData =>
  async userId => {
    const [user, organizations, sessions, factors, linked, grants, agents, deletedAgents, done, suffered] = await Promise.all([
      userAdministration.get(userId),
      members.listOfUser(userId),
      apiSessions.list(userId, { limit: newestSessions }),
      authenticators.list(userId),
      identities.listKept(userId),
      consents.list(userId),
      listAgents(userId),
      listAgents(userId, { isDeleted: true }),
      auditLog.newest({ actorId: userId }, newestEvents),
      auditLog.newest({ targetId: userId, targetKind: 'user' }, newestEvents),
    ])
    return {
      exported_at: now().toISOString(),
      user: toUserOutput(user),
      organizations: organizations.map(({ organization, role, joinedAt }) => ({ organization, role, joined_at: joinedAt.toISOString() })),
      sessions: sessions.rows.map(({ ip, userAgent, amr, createdAt, lastSeenAt }) => ({
        ip: ip ?? null,
        user_agent: userAgent ?? null,
        amr,
        created_at: createdAt.toISOString(),
        last_seen_at: lastSeenAt.toISOString(),
      })),
      factors: factors.map(({ kind, name, createdAt, lastUsedAt }) => ({
        kind,
        name,
        created_at: createdAt.toISOString(),
        last_used_at: lastUsedAt?.toISOString() ?? null,
      })),
      identities: linked.map(({ connection, subject, providerData, createdAt, lastUsedAt }) => ({
        connection: connection.name,
        subject,
        provider_data: providerData,
        created_at: createdAt.toISOString(),
        last_used_at: lastUsedAt.toISOString(),
      })),
      grants: grants.map(({ clientId, name, organization, scopes, grantedAt }) => ({
        client_id: clientId,
        name,
        organization_id: organization?.id ?? null,
        scopes,
        granted_at: grantedAt.toISOString(),
      })),
      agents: [...agents, ...deletedAgents].map(toAgent),
      events: newestFirst([...done, ...suffered]).map(({ occurredAt, action, outcome, target, ip, userAgent }) => ({
        occurred_at: occurredAt.toISOString(),
        action,
        outcome,
        via_agent: target.details.via_agent ?? null,
        ip: ip ?? null,
        user_agent: userAgent ?? null,
      })),
    }
  }

const toAgent = ({ clientId, name, redirectUris, metadata, isDisabled, createdAt, lastUsedAt, deletedAt }: Agent) => ({
  client_id: clientId,
  name,
  redirect_uris: redirectUris,
  jwks: metadata.jwks ?? null,
  disabled: isDisabled,
  created_at: createdAt.toISOString(),
  last_used_at: lastUsedAt?.toISOString() ?? null,
  deleted_at: deletedAt?.toISOString() ?? null,
})

const newestFirst = (events: readonly AuditEvent[]) => [...new Map(events.map(event => [event.id, event])).values()].sort((a, b) => (a.id < b.id ? 1 : -1))

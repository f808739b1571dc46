// The demo data that a database holds: its passwords and secrets stand in the documentation, so production does not start with it, and it
// can be taken away. Who merely calls themselves as the demo's people do, or signs up with their address, is none of them: the audit log
// tells what the system made. Where a password or secret was changed, nobody else knows it.
import { demoClients, demoOrganizations, demoResourceServers, demoUsers } from './demo-data.ts'
import { organizationIdSchema } from './organizations/organization.ts'
import { systemActor } from './platform/actor.ts'
import { type Database, statement } from './platform/data/database.ts'
import { StartError } from './platform/data/start-error.ts'
import { Problem } from './platform/errors.ts'
import type { Services } from './services.ts'
import { userIdSchema } from './users/user.ts'

/** What the demo made and is there; accounts and clients are `isOpen` where their password or secret is the documented one. */
export const demoRows = `
  WITH kept AS (
    SELECT 'client' AS kind, id, client_id AS name, disabled_at IS NULL AND EXISTS (
        SELECT FROM client_secrets s WHERE s.client_id = clients.id AND s.revoked_at IS NULL AND s.created_at < clients.created_at + interval '1 minute') AS is_open
      FROM clients WHERE client_id = ANY($2) AND deleted_at IS NULL
    UNION ALL SELECT 'organization', id, slug, false FROM organizations WHERE slug = ANY($3) AND deleted_at IS NULL
    UNION ALL SELECT 'resource_server', id, identifier, false FROM resource_servers WHERE identifier = ANY($4) AND deleted_at IS NULL
    UNION ALL SELECT 'user', id, email, suspended_at IS NULL AND EXISTS (
        SELECT FROM authentication_methods m
        WHERE m.user_id = users.id AND m.kind = 'password' AND m.deleted_at IS NULL AND m.created_at < users.created_at + interval '1 minute')
      FROM users WHERE email_normalized = ANY($1) AND deleted_at IS NULL
  )
  SELECT kind, id::text, name, is_open AS "isOpen" FROM kept
  WHERE EXISTS (SELECT FROM audit_events e WHERE e.target_id = kept.id::text AND e.action = kept.kind || '.created' AND e.actor_kind = 'system')
  ORDER BY kind, name`

/** What {@link demoRows} asks for. */
export const demoNames: readonly (readonly string[])[] = [
  demoUsers.map(({ email }) => email),
  demoClients.map(({ clientId }) => clientId),
  demoOrganizations.map(({ slug }) => slug),
  demoResourceServers.map(({ identifier }) => identifier),
]

interface DemoRow {
  readonly kind: 'client' | 'organization' | 'resource_server' | 'user'
  readonly id: string
  readonly name: string
  readonly isOpen: boolean
}

const find = statement('demo-rows', demoRows)

/** The accounts and clients of the demo that everybody can use who has read its documentation. */
export const findOpenDemo = async (database: Pick<Database, 'run'>): Promise<readonly string[]> =>
  (await database.run<DemoRow>(find, demoNames)).filter(({ isOpen }) => isOpen).map(({ name }) => name)

/** Throws a StartError `demo_data_kept` where there are any. */
export const refuseDemoData = async (database: Pick<Database, 'run'>): Promise<void> => {
  const names = await findOpenDemo(database)
  if (names.length > 0) throw new StartError('demo_data_kept', demoKeptText(names))
}

/** Says that it is there, and what to do. */
export const demoKeptText = (names: readonly string[]): string =>
  `The database holds demo data, whose passwords and secrets everybody knows: ${names.join(', ')}. No server starts with it in production. Take it away: npm run demo:remove (authy2 demo:remove).`

/**
 * Deletes what the demo made, as it is deleted over the API. Gives the names. With nothing deleted throws `last_admin`, where nobody else administers the
 * system, and a StartError `demo_data_kept`, where an organization that is not the demo's would be left without an owner.
 */
export const removeDemoData = async (database: Database, services: Services): Promise<readonly string[]> => {
  const rows = await database.run<DemoRow>(find, demoNames)
  const others = { systemRole: 'admin', deletedAt: null, suspendedAt: null, id: { notIn: rows.map(({ id }) => id) } } as const
  if (rows.some(({ kind }) => kind === 'user') && (await database.prisma.user.count({ where: others })) === 0) throw new Problem('last_admin')
  const left = await findLeftAlone(database, rows)
  if (left.length > 0)
    throw new StartError('demo_data_kept', `These organizations have no owner but people of the demo: ${left.join(', ')}. Give them another, or delete them.`)
  const remove = {
    client: (id: string) => services.clientAdministration.remove(systemActor, { id }),
    // Before its owners, who could not go.
    organization: (id: string) => services.organizations.remove(systemActor, organizationIdSchema.parse(id)),
    resource_server: (id: string) => services.resourceServerAdministration.remove(systemActor, { id }),
    user: (id: string) => services.userAdministration.remove(systemActor, userIdSchema.parse(id)),
  }
  for (const { kind, id } of rows) await remove[kind](id)
  return rows.map(({ name }) => name)
}

const findLeftAlone = async (database: Database, rows: readonly DemoRow[]): Promise<string[]> => {
  const ids = rows.map(({ id }) => id)
  const owner = { role: 'owner', user: { deletedAt: null, suspendedAt: null } }
  const found = await database.prisma.organization.findMany({
    where: { deletedAt: null, id: { notIn: ids }, members: { some: { ...owner, userId: { in: ids } }, none: { ...owner, userId: { notIn: ids } } } },
    select: { slug: true },
    orderBy: { slug: 'asc' },
  })
  return found.map(({ slug }) => slug)
}

// Whether somebody belongs to an organization, asked where a token is narrowed to it.
import { type Database, statement } from '../platform/data/database.ts'
import { isUuid } from '../platform/uuid.ts'

const member = statement(
  'exchange-member',
  `SELECT 1 FROM organization_members m JOIN organizations o ON o.id = m.organization_id
   WHERE m.user_id = ($1::text)::uuid AND m.organization_id = ($2::text)::uuid AND o.deleted_at IS NULL`,
)

/** Asks it; of an organization that is not there, nobody is a member. */
export type IsMember = (member: { readonly userId: string; readonly organizationId: string }) => Promise<boolean>

/** Makes it. */
export const createIsMember =
  (database: Database): IsMember =>
  async ({ userId, organizationId }) =>
    isUuid(organizationId) && (await database.run(member, [userId, organizationId])).length > 0

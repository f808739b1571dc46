// Who must prove a second factor, whatever they or a client would have it: by the system's setting everywhere, by organizations within them alone.
// Anybody may make an organization, and people of others its members: none of them may be shut out of what is not its own.
import { type Database, statement } from '../platform/data/database.ts'
import { createMemo } from '../platform/data/memo.ts'

/** Of whom the system requires a second factor. Whoever has one is asked for it anyway. */
export const requirementSettings = ['never', 'admins', 'always'] as const

/** Of whom the system requires a second factor. */
export type RequirementSetting = (typeof requirementSettings)[number]

/** Says of whom a second factor is required. */
export interface FactorRequirement {
  /** For a session, or for entering a client of an organization; at most a second old. */
  isRequired(entry: { userId: string; organizationId?: string }): Promise<boolean>
}

interface Row {
  is_admin: boolean
  is_member: boolean
}

const required = statement(
  'factor-required',
  `SELECT coalesce(u.system_role = 'admin', false) AS is_admin, EXISTS (
     SELECT 1 FROM organization_members m JOIN organizations o ON o.id = m.organization_id
     WHERE m.user_id = u.id AND o.is_mfa_required AND o.deleted_at IS NULL AND o.id = $2
   ) AS is_member FROM users u WHERE u.id = $1`,
)

interface Needs {
  readonly database: Database
  readonly setting: RequirementSetting
  /** Whether an organization requires one of its members: kept in memory, so that the many that do not cost no query. */
  readonly isRequiredBy: (organizationId: string) => Promise<boolean>
  readonly now: () => Date
}

/** Makes the service. */
export const createFactorRequirement = ({ database, setting, isRequiredBy, now }: Needs): FactorRequirement => {
  const memo = createMemo<boolean>({
    ttlMilliseconds: 1000,
    now,
    load: async key => {
      const [userId = '', organizationId = ''] = key.split('\0')
      const [row] = await database.run<Row>(required, [userId, organizationId || null])
      return (setting === 'admins' && row?.is_admin === true) || row?.is_member === true
    },
  })
  return {
    isRequired: async ({ userId, organizationId }) => {
      if (setting === 'always') return true
      const requiring = organizationId !== undefined && (await isRequiredBy(organizationId)) ? organizationId : ''
      if (setting === 'never' && !requiring) return false
      return memo.get(`${userId}\0${requiring}`)
    },
  }
}

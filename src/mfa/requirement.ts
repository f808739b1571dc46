// Who must prove a second factor, whatever they or a client would have it: by the system's setting and by organizations.
import { type Database, statement } from '../platform/data/database.ts'
import { createMemo } from '../platform/data/memo.ts'

/** Of whom the system requires a second factor. Whoever has one is asked for it anyway. */
export const requirementSettings = ['never', 'admins', 'always'] as const

/** Of whom the system requires a second factor. */
export type RequirementSetting = (typeof requirementSettings)[number]

/** Says of whom a second factor is required. */
export interface FactorRequirement {
  /** For entering a client, which may be one of an organization; at most a second old. */
  isRequired(entry: { userId: string; organizationId?: string }): Promise<boolean>
  /** For a session of the API, which reaches every organization of the person. */
  isRequiredForApi(userId: string): Promise<boolean>
}

interface Row {
  is_admin: boolean
  is_member: boolean
}

// The organization is one, or where none is named any of the person's.
const required = statement(
  'factor-required',
  `SELECT coalesce(u.system_role = 'admin', false) AS is_admin, EXISTS (
     SELECT 1 FROM organization_members m JOIN organizations o ON o.id = m.organization_id
     WHERE m.user_id = u.id AND o.is_mfa_required AND o.deleted_at IS NULL AND ($2::uuid IS NULL OR o.id = $2)
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
  const look = async (userId: string, organizationId: string | null) => (await database.run<Row>(required, [userId, organizationId]))[0]
  const isOfSystem = (row: Row | undefined) => setting === 'admins' && row?.is_admin === true
  const memo = createMemo<boolean>({
    ttlMilliseconds: 1000,
    now,
    load: async key => {
      const [userId = '', organizationId = ''] = key.split('\0')
      const row = await look(userId, organizationId || null)
      return isOfSystem(row) || (organizationId !== '' && row?.is_member === true)
    },
  })
  return {
    isRequired: async ({ userId, organizationId }) => {
      if (setting === 'always') return true
      const requiring = organizationId !== undefined && (await isRequiredBy(organizationId)) ? organizationId : ''
      if (setting === 'never' && !requiring) return false
      return memo.get(`${userId}\0${requiring}`)
    },
    isRequiredForApi: async userId => {
      if (setting === 'always') return true
      const row = await look(userId, null)
      return isOfSystem(row) || row?.is_member === true
    },
  }
}

// What an organization sets for its people: today how its pages look. Each setting is replaced whole.
import type { Actor } from '../platform/actor.ts'
import { type BrandingSettings, readBranding } from '../platform/branding-settings.ts'
import type { Change } from '../platform/data/change.ts'
import type { Database } from '../platform/data/database.ts'
import { createMemo } from '../platform/data/memo.ts'
import { Problem } from '../platform/errors.ts'
import type { OrganizationId } from './organization.ts'
import { lockOrganization } from './organizations.ts'

/** The settings of an organization. */
export interface OrganizationSettings {
  readonly branding: BrandingSettings
  readonly version: Date
}

/** Which settings are changed; what is not named stays. */
export interface SettingsChanges {
  readonly branding?: BrandingSettings | undefined
}

/** The settings of organizations. */
export interface SettingsOfOrganizations {
  /** Throws `not_found`. */
  get(id: OrganizationId): Promise<OrganizationSettings>
  /** At most a second old; `undefined` where the organization is not there. */
  find(id: string): Promise<OrganizationSettings | undefined>
  /** Throws `not_found`. `expect` is called with the version of what is about to be changed. */
  update(actor: Actor, id: OrganizationId, changes: SettingsChanges & { readonly expect?: (version: Date) => void }): Promise<OrganizationSettings>
}

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly now: () => Date
}

/** Makes the service. */
export const createOrganizationSettings = ({ database, change, now }: Needs): SettingsOfOrganizations => {
  const load = async (id: string) => {
    const row = await database.prisma.organization.findFirst({ where: { id, deletedAt: null }, select: columns })
    return row ? toSettings(row) : undefined
  }
  const memo = createMemo({ ttlMilliseconds: 1000, now, load })
  return {
    find: memo.get,
    get: async id => {
      const settings = await load(id)
      if (!settings) throw new Problem('not_found')
      return settings
    },
    update: async (actor, id, { expect, ...changes }) => {
      const settings = await change(actor, async (tx, record) => {
        const before = await lockOrganization(tx, id)
        expect?.(before.updatedAt)
        const row = await tx.organization.update({ where: { id }, data: changes, select: columns })
        // Names only: images are long, and no news.
        record('organization.settings_updated', { ...before, changed: namesOf(changes) }, { organizationId: id })
        return toSettings(row)
      })
      memo.forget(id)
      return settings
    },
  }
}

const columns = { branding: true, updatedAt: true } as const

const toSettings = ({ branding, updatedAt }: { branding: unknown; updatedAt: Date }): OrganizationSettings => ({
  branding: readBranding(branding),
  version: updatedAt,
})

const namesOf = ({ branding }: SettingsChanges) => (branding ? Object.keys(branding).map(name => `branding.${name}`) : [])

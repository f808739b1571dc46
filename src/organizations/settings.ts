// What an organization sets for its people: how its pages look, and its policy. Each setting is replaced whole.
import type { Actor } from '../platform/actor.ts'
import { type BrandingSettings, readBranding } from '../platform/branding-settings.ts'
import type { Change } from '../platform/data/change.ts'
import type { ChangeFeed } from '../platform/data/change-feed.ts'
import type { Database } from '../platform/data/database.ts'
import { createMemo } from '../platform/data/memo.ts'
import { Problem } from '../platform/errors.ts'
import { isObject } from '../platform/values.ts'
import type { OrganizationId } from './organization.ts'
import { lockOrganization } from './organizations.ts'

/** The settings of an organization. */
export interface OrganizationSettings {
  readonly branding: BrandingSettings
  /** Whether people make accounts on the pages of its clients; it cannot open what the system closes. */
  readonly isSignUpOpen: boolean
  /** Whether its members prove a second factor where they enter its clients. */
  readonly isMfaRequired: boolean
  readonly version: Date
}

/** Which settings are changed; what is not named stays. */
export interface SettingsChanges {
  readonly branding?: BrandingSettings
  readonly isSignUpOpen?: boolean
  readonly isMfaRequired?: boolean
}

/** The settings of organizations. */
export interface SettingsOfOrganizations {
  /** Throws `not_found`. */
  get(id: OrganizationId): Promise<OrganizationSettings>
  /** At most a second old; `undefined` where the organization is not there. */
  find(id: string): Promise<OrganizationSettings | undefined>
  /** For what is changed elsewhere. */
  forget(id: string): void
  /** Throws `not_found`. `expect` is called with the version of what is about to be changed. */
  update(actor: Actor, id: OrganizationId, changes: SettingsChanges & { readonly expect?: (version: Date) => void }): Promise<OrganizationSettings>
}

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly feed: ChangeFeed
  readonly now: () => Date
}

/** Makes the service. */
export const createOrganizationSettings = ({ database, change, feed, now }: Needs): SettingsOfOrganizations => {
  const findRow = (id: string) => database.prisma.organization.findFirst({ where: { id, deletedAt: null }, select: columns })
  const load = async (id: string) => {
    const row = await findRow(id)
    return row ? toSettings(row) : undefined
  }
  const getRow = async (id: string) => {
    const row = await findRow(id)
    if (!row) throw new Problem('not_found')
    return row
  }
  const memo = createMemo({ ttlMilliseconds: 1000, now, load, ends: { feed, by: { organization: ({ id }) => id } } })
  return {
    find: memo.get,
    forget: memo.forget,
    get: async id => toSettings(await getRow(id)),
    update: async (actor, id, { expect, ...changes }) => {
      const known = await getRow(id)
      if (changedNames(known, changes).length === 0) {
        expect?.(known.updatedAt)
        return toSettings(known)
      }
      const settings = await change(actor, async (tx, record) => {
        const organization = await lockOrganization(tx, id)
        expect?.(organization.updatedAt)
        const before = await tx.organization.findUniqueOrThrow({ where: { id }, select: columns })
        const row = await tx.organization.update({ where: { id }, data: changes, select: columns })
        // Names only: images are long, and no news.
        record('organization.settings_updated', { ...organization, changed: changedNames(before, changes) }, { organizationId: id })
        return toSettings(row)
      })
      memo.forget(id)
      return settings
    },
  }
}

const columns = { branding: true, isSignUpOpen: true, isMfaRequired: true, updatedAt: true } as const

interface Row {
  readonly branding: unknown
  readonly isSignUpOpen: boolean
  readonly isMfaRequired: boolean
  readonly updatedAt: Date
}

const toSettings = ({ branding, updatedAt, ...policy }: Row): OrganizationSettings => ({ ...policy, branding: readBranding(branding), version: updatedAt })

// As events name them: each of the branding for itself, though it is replaced whole.
const told = ({ branding, isSignUpOpen, isMfaRequired }: Omit<Row, 'updatedAt'>): Readonly<Record<string, unknown>> => ({
  ...Object.fromEntries(Object.entries(isObject(branding) ? branding : {}).map(([name, value]) => [`branding.${name}`, value])),
  sign_up: isSignUpOpen,
  mfa_required: isMfaRequired,
})

const changedNames = (before: Row, changes: SettingsChanges): string[] => {
  const [former, latter] = [told(before), told({ ...before, ...changes })]
  return Object.keys({ ...former, ...latter }).filter(name => former[name] !== latter[name])
}

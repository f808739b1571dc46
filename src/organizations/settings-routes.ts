// The operations on the settings of an organization.
import { z } from 'zod'
import { brandingBody, warningsOf, warningsOutput } from '../platform/branding-settings.ts'
import { type Route, route } from '../platform/http/route.ts'
import { organizationParams } from './routes.ts'
import type { OrganizationSettings, SettingsOfOrganizations } from './settings.ts'

const settingsOutput = z.object({ branding: brandingBody, warnings: warningsOutput })

/** Makes the routes. */
export const createSettingsRoutes = ({ organizationSettings }: { organizationSettings: SettingsOfOrganizations }): readonly Route[] => {
  const at = { path: '/organizations/:id/settings', within: 'organization', params: organizationParams, output: settingsOutput } as const
  return [
    route({
      ...at,
      method: 'GET',
      summary: "An organization's settings.",
      permission: 'organizations:read',
      handle: async ({ params }) => answer(await organizationSettings.get(params.id)),
    }),
    route({
      ...at,
      method: 'PATCH',
      summary: "Changes an organization's settings; each that is named is replaced whole, with warnings for what pages will correct.",
      permission: 'organizations:write',
      body: z.strictObject({ branding: brandingBody }).partial(),
      handle: async ({ actor, params, body, ifMatch }) => answer(await organizationSettings.update(actor, params.id, { ...body, expect: ifMatch })),
    }),
  ]
}

const answer = ({ branding, version }: OrganizationSettings) => ({ data: { branding, warnings: warningsOf(branding) }, version })

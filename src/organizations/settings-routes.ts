// The operations on the settings of an organization.
import { z } from 'zod'
import type { Images } from '../images/images.ts'
import { brandingBody, warningsOf, warningsOutput } from '../platform/branding-settings.ts'
import { mustHaveTwoFactors } from '../platform/http/allow.ts'
import { type Route, route } from '../platform/http/route.ts'
import { organizationParams } from './routes.ts'
import type { OrganizationSettings, SettingsChanges, SettingsOfOrganizations } from './settings.ts'

const signUp = z.enum(['open', 'closed'])
const settingsOutput = z.object({ branding: brandingBody, sign_up: signUp, mfa_required: z.boolean(), warnings: warningsOutput })
const settingsBody = z.strictObject({ branding: brandingBody, sign_up: signUp, mfa_required: z.boolean() }).partial()

/** Makes the routes. */
export const createSettingsRoutes = ({ organizationSettings, images }: { organizationSettings: SettingsOfOrganizations; images: Images }): readonly Route[] => {
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
      summary:
        "Changes an organization's settings; each that is named is replaced whole, with warnings for what pages will correct. Sign-up that the system closes stays closed, and only who proved two factors requires them of others.",
      permission: 'organizations:write',
      comparesVersion: true,
      body: settingsBody,
      handle: async ({ actor, params, body, ifMatch }) => {
        if (body.mfa_required) mustHaveTwoFactors(actor)
        await images.keepAll(actor, body.branding, 'branding')
        return answer(await organizationSettings.update(actor, params.id, { ...toChanges(body), expect: ifMatch }))
      },
    }),
  ]
}

const toChanges = ({ branding, sign_up: signUp, mfa_required: isMfaRequired }: z.output<typeof settingsBody>): SettingsChanges => ({
  ...(branding === undefined ? {} : { branding }),
  ...(signUp === undefined ? {} : { isSignUpOpen: signUp === 'open' }),
  ...(isMfaRequired === undefined ? {} : { isMfaRequired }),
})

const answer = ({ branding, isSignUpOpen, isMfaRequired, version }: OrganizationSettings) => ({
  data: { branding, sign_up: isSignUpOpen ? ('open' as const) : ('closed' as const), mfa_required: isMfaRequired, warnings: warningsOf(branding) },
  version,
})

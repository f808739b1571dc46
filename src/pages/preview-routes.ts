// The operations that show a branding before it is saved: of an organization, of its clients, and of the system's.
import { z } from 'zod'
import type { ClientAdministration } from '../clients/administration.ts'
import type { ClientKey } from '../clients/sought-client.ts'
import type { Images } from '../images/images.ts'
import { organizationIdSchema } from '../organizations/organization.ts'
import type { Organizations } from '../organizations/organizations.ts'
import type { SettingsOfOrganizations } from '../organizations/settings.ts'
import type { Actor } from '../platform/actor.ts'
import { type BrandingSettings, brandingBody, over, toBranding, warningsOf, warningsOutput } from '../platform/branding-settings.ts'
import { type Route, route } from '../platform/http/route.ts'
import { languageTag, text } from '../platform/http/text.ts'
import { previewedPages, type RenderPreview } from './preview.ts'

interface Needs {
  readonly renderPreview: RenderPreview
  readonly organizations: Pick<Organizations, 'get'>
  readonly images: Images
  readonly organizationSettings: Pick<SettingsOfOrganizations, 'get'>
  readonly clientAdministration: Pick<ClientAdministration, 'get'>
}

const body = z.strictObject({ branding: brandingBody, page: z.enum(previewedPages).default('identifier'), language: languageTag.optional() })
const output = z.object({ html: z.string(), warnings: warningsOutput })
const organization = z.strictObject({ id: organizationIdSchema })
const clientName = text(255).min(1)
const description =
  'The HTML is a whole document that can be used for nothing: without scripts, its forms and links dead, with a content security policy of its own. ' +
  'Show it in a sandboxed frame (`srcdoc`).'
const shared = { method: 'POST', description, body, output } as const

/** Makes the routes. Each asks for what changing the same branding asks for. */
export const createPreviewRoutes = ({ renderPreview, images, organizations, organizationSettings, clientAdministration }: Needs): readonly Route[] => {
  const show = async (actor: Actor, { branding, page, language }: z.output<typeof body>, { client, look }: { client: string; look: BrandingSettings }) => {
    await images.keepAll(actor, branding, 'branding')
    return {
      data: {
        html: renderPreview({ page, client, branding: toBranding(await images.own(look)), language: language ?? look.default_language ?? 'en' }),
        warnings: warningsOf(branding),
      },
    }
  }
  const showClient = async (actor: Actor, key: ClientKey, given: z.output<typeof body>) => {
    const client = await clientAdministration.get(key)
    const upper = client.organizationId === undefined ? undefined : await organizationSettings.get(organizationIdSchema.parse(client.organizationId))
    return show(actor, given, { client: client.name, look: over(upper?.branding ?? {}, given.branding) })
  }
  return [
    route({
      ...shared,
      path: '/organizations/:id/settings/preview',
      summary: "A page in a branding of an organization's that is not saved yet, with warnings for what pages will correct.",
      permission: 'organizations:write',
      within: 'organization',
      params: organization,
      handle: async ({ actor, params, body }) => show(actor, body, { client: (await organizations.get(params.id)).name, look: body.branding }),
    }),
    route({
      ...shared,
      path: '/organizations/:id/clients/:clientId/preview',
      summary: "A page of an organization's client in a branding that is not saved yet, under that of the organization.",
      permission: 'clients:write',
      within: 'organization',
      params: organization.extend({ clientId: clientName }),
      handle: ({ actor, params, body }) => showClient(actor, { id: params.clientId, organizationId: params.id }, body),
    }),
    route({
      ...shared,
      path: '/clients/:id/preview',
      summary: 'A page of a client in a branding that is not saved yet, under that of its organization.',
      permission: 'clients:write',
      params: z.strictObject({ id: clientName }),
      handle: ({ actor, params, body }) => showClient(actor, { id: params.id }, body),
    }),
  ]
}

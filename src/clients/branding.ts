// How pages look that are shown for a client: its organization's branding over its own.

import type { Images } from '../images/images.ts'
import type { SettingsOfOrganizations } from '../organizations/settings.ts'
import type { Branding } from '../platform/branding.ts'
import { over, toBranding } from '../platform/branding-settings.ts'
import type { Clients } from './clients.ts'

/** What the pages of a client are like; what is absent is the system's. */
export interface ClientLook {
  readonly branding: Partial<Branding>
  readonly defaultLanguage?: string | undefined
  /** The client's own logo, on our origin. */
  readonly clientLogoUrl?: string | undefined
}

/** Finds it; of a client that is not there, nothing. Clients and settings are remembered, so it costs one statement a second. */
export type FindLook = (clientId: string) => Promise<ClientLook | undefined>

/** Makes the finder. */
export const createFindLook =
  ({ clients, organizationSettings, images }: { clients: Clients; organizationSettings: Pick<SettingsOfOrganizations, 'find'>; images: Images }): FindLook =>
  async clientId => {
    const client = await clients.find(clientId)
    if (!client) return undefined
    const settings = client.organizationId === undefined ? undefined : await organizationSettings.find(client.organizationId)
    const look = over(settings?.branding ?? {}, client.branding)
    const { logo_uri: logo } = client.metadata
    const [own, clientLogoUrl] = await Promise.all([images.own(look), images.find(typeof logo === 'string' ? logo : undefined)])
    return { branding: toBranding(own), defaultLanguage: look.default_language, clientLogoUrl }
  }

// Whether people make accounts on the pages of a client: its organization may say no.
import type { SettingsOfOrganizations } from '../organizations/settings.ts'
import type { Clients } from './clients.ts'

/** What a client's organization says; of a client of none, or of one that is not there, nothing is said against it. */
export interface SignUpRule {
  readonly organizationId?: string | undefined
  readonly isOpen: boolean
}

/** Finds it; what an organization said is at most a second old. */
export type FindSignUpRule = (clientId: string) => Promise<SignUpRule>

/** Makes the finder. */
export const createFindSignUpRule =
  ({ clients, organizationSettings }: { clients: Clients; organizationSettings: Pick<SettingsOfOrganizations, 'find'> }): FindSignUpRule =>
  async clientId => {
    const organizationId = (await clients.find(clientId))?.organizationId
    if (organizationId === undefined) return { isOpen: true }
    return { organizationId, isOpen: (await organizationSettings.find(organizationId))?.isSignUpOpen ?? false }
  }

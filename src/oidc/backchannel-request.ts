// The words of backchannel authentication (OpenID Connect CIBA Core 1.0): what a client asks a person to approve elsewhere, and what is told of it.
import { z } from 'zod'
import type { ClientSource } from '../clients/client.ts'
import { event } from '../platform/data/change.ts'
import type { JobKind } from '../platform/jobs/job.ts'

/** What the person is shown, and what they would grant by approving: that and nothing else. */
export const askedSchema = z.object({
  scopes: z.array(z.string()),
  claims: z.array(z.string()),
  resources: z.record(z.string(), z.array(z.string())),
  bindingMessage: z.string().optional(),
  /** What the request says of how the person has to be authenticated. */
  params: z.object({ acr_values: z.string().optional(), claims: z.string().optional(), max_age: z.string().optional() }),
})

/** What is asked. */
export type Asked = z.output<typeof askedSchema>

/** A request that waits for its person. */
export interface BackchannelRequest {
  readonly id: string
  readonly clientId: string
  readonly clientName: string
  readonly clientSource: ClientSource
  /** The organization that the client belongs to; absent: the operator's own. */
  readonly organizationName?: string
  /** Where the client asked from. */
  readonly ip?: string
  readonly asked: Asked
  readonly createdAt: Date
  readonly expiresAt: Date
}

/** What came of a request: the session that approved it says how the person was authenticated. */
export type BackchannelAnswer =
  | { readonly decision: 'waiting' | 'denied' | 'ended' }
  | { readonly decision: 'approved'; readonly grantId: string; readonly acr: string; readonly amr: readonly string[]; readonly authTime: number }

/** How many requests of one asker may wait for one person. */
export const waitingPlaces = 5

/** Whose a client's requests are counted as: its organization's together; each client of the operator stands for itself. */
export const askerOf = ({ clientId, organizationId }: { readonly clientId: string; readonly organizationId?: string | undefined }): string =>
  organizationId ?? clientId

const told = { client_id: z.string(), scopes: z.array(z.string()) }

/** The events of backchannel authentication. */
export const backchannelEvents = {
  'backchannel.asked': event('backchannel_request', { ...told, user_id: z.string().optional() }),
  'backchannel.approved': event('backchannel_request', told),
  'backchannel.denied': event('backchannel_request', told),
}

const jobPayload = z.object({ id: z.string() })

/** Tells the person by mail that something waits for them: of no use once it has expired. */
export const tellPerson: JobKind<{ id: string }> = { name: 'backchannel.tell', schema: jobPayload, maxAttempts: 6 }

/** Notifies the client that an answer waits for it (CIBA Core §10.2); it may poll as well. */
export const pingClient: JobKind<{ id: string }> = { name: 'backchannel.ping', schema: jobPayload, maxAttempts: 7 }

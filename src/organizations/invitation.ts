// The words of invitations: who is asked to join an organization, and what is told of it.
import { z } from 'zod'
import { event } from '../platform/data/change.ts'

/** How long an invitation can be accepted. */
export const invitationHours = 72

/** Somebody asked to join. */
export interface Invitation {
  readonly id: string
  readonly organizationId: string
  /** In its canonical form. */
  readonly email: string
  /** The name of the role they would have. */
  readonly role: string
  readonly invitedBy?: string
  readonly createdAt: Date
  readonly expiresAt: Date
}

/** An invitation as the one who was invited sees it. */
export interface ReceivedInvitation {
  readonly email: string
  readonly role: string
  readonly organization: { readonly id: string; readonly name: string; readonly slug: string }
}

const shape = { email: z.string(), role: z.string() }

/** The events of invitations. */
export const invitationEvents = {
  'invitation.created': event('invitation', shape),
  'invitation.revoked': event('invitation', shape),
  'invitation.accepted': event('invitation', { ...shape, user_id: z.string() }),
}

// Invitations: made by who may hand out the role, mailed, accepted once, and only by who has shown that the address is theirs.
import type { Mails } from '../mails/mails.ts'
import type { Actor } from '../platform/actor.ts'
import { readBranding } from '../platform/branding-settings.ts'
import type { Change } from '../platform/data/change.ts'
import { type Database, statement, type TransactionClient } from '../platform/data/database.ts'
import { type Found, type PageRequest, pageOf } from '../platform/data/page.ts'
import { createPurge } from '../platform/data/purge.ts'
import { Problem } from '../platform/errors.ts'
import type { MakeLimit } from '../platform/http/limit.ts'
import { mailable } from '../platform/http/text.ts'
import { hashOf } from '../platform/secrets.ts'
import { parseEmail } from '../users/email.ts'
import { findRole } from './find-role.ts'
import type { MustHoldRoles, PermissionsOf } from './holding.ts'
import { type Invitation, invitationHours, type ReceivedInvitation } from './invitation.ts'
import type { FindGiven } from './inviter.ts'
import { type Organization, type OrganizationId, organizationIdSchema } from './organization.ts'
import { keepPerson } from './owners.ts'

/** The invitations of organizations. */
export interface Invitations {
  /** Those that can still be accepted, the newest first; among them, until it is tried, one whose maker may not hand out its role any more. */
  list(organizationId: OrganizationId, page: PageRequest): Promise<Found<Invitation>>
  /** Throws `not_found` for one that can no longer be accepted. */
  get(organizationId: OrganizationId, id: string): Promise<Invitation>
  /**
   * Mails one, in the language that is named, the person's own or the organization's; an open one to the same address is void. Throws
   * `mail_not_possible`, `validation_failed` for no address or no role, `forbidden` for a role
   * that holds more than the caller, `member_exists`, and `too_many_attempts`.
   */
  create(
    actor: Actor,
    invitation: { readonly organizationId: OrganizationId; readonly email: string; readonly role: string; readonly locale?: string },
  ): Promise<Invitation>
  /** Throws `not_found` for one that can no longer be accepted. `expect` is called with what is about to be revoked. */
  revoke(
    actor: Actor,
    invitation: { readonly organizationId: OrganizationId; readonly id: string; readonly expect?: (invitation: Invitation) => void },
  ): Promise<void>
  /** What a link invites to, while it can be accepted and who invited may hand out the role. */
  find(token: string): Promise<ReceivedInvitation | undefined>
  /**
   * Makes the person a member. Throws `wrong_address` where the invited address is not the person's verified one, `member_exists`,
   * and `link_expired`, also where who invited may not hand out the role any more: then the invitation is revoked.
   */
  accept(actor: Actor, acceptance: { readonly token: string; readonly userId: string }): Promise<ReceivedInvitation>
}

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly mails: Mails
  readonly limit: MakeLimit
  readonly lock: (tx: TransactionClient, id: OrganizationId) => Promise<Organization>
  readonly permissionsOf: PermissionsOf
  readonly mustHoldRoles: MustHoldRoles
  readonly findGiven: FindGiven
  readonly randomBytes: (size: number) => Buffer
  readonly now: () => Date
  readonly isMailPossible: boolean
  readonly issuer: string
}

const byToken = statement(
  'invitation-by-token',
  `SELECT i.email, i.role, i.invited_by, o.id, o.name, o.slug FROM invitations i JOIN organizations o ON o.id = i.organization_id
   WHERE i.token_hash = $1 AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > now() AND o.deleted_at IS NULL`,
)

/** Makes the service. Two hundred invitations a day and organization, five a day and address of it. */
export const createInvitations = (needs: Needs): Invitations => {
  const { database, change, mails, limit, lock, permissionsOf, mustHoldRoles, findGiven, randomBytes, now, issuer } = needs
  const byOrganization = limit('invitation:organization', { points: 200, durationSeconds: 86_400 })
  const byAddress = limit('invitation:address', { points: 5, durationSeconds: 86_400 })
  const open = () => ({ acceptedAt: null, revokedAt: null, expiresAt: { gt: now() } })

  return {
    list: async (organizationId, page) => {
      const where = { organizationId, ...open() }
      const [rows, total] = await Promise.all([database.prisma.invitation.findMany(pageOf(where, page)), database.prisma.invitation.count({ where })])
      return { rows: rows.map(toInvitation), total }
    },
    get: async (organizationId, id) => {
      const row = await database.prisma.invitation.findFirst({ where: { id, organizationId, ...open() } })
      if (!row) throw new Problem('not_found')
      return toInvitation(row)
    },
    create: async (actor, { organizationId, email: typed, role, locale }) => {
      if (!needs.isMailPossible) throw new Problem('mail_not_possible')
      const email = parseEmail(typed)
      await byOrganization.consume(organizationId)
      await byAddress.consume(`${organizationId} ${email}`)
      return change(actor, async (tx, record) => {
        const organization = mailable((await lock(tx, organizationId)).name, organizationId)
        const { handed } = await findRole(tx, { organizationId, role, permissionsOf })
        await mustHoldRoles(tx, { actor, organizationId, roles: [handed] })
        const known = await tx.organizationMember.count({ where: { organizationId, user: { emailNormalized: email, deletedAt: null } } })
        if (known > 0) throw new Problem('member_exists')
        await tx.invitation.updateMany({ where: { organizationId, email, acceptedAt: null, revokedAt: null }, data: { revokedAt: now() } })
        const token = randomBytes(32).toString('base64url')
        const row = await tx.invitation.create({
          data: {
            organizationId,
            email,
            role: handed.name,
            invitedBy: actor.userId,
            tokenHash: new Uint8Array(hashOf('invitation', token)),
            expiresAt: new Date(now().getTime() + invitationHours * 3_600_000),
          },
        })
        const inviter = actor.userId === undefined ? null : await tx.user.findUnique({ where: { id: actor.userId }, select: { name: true, email: true } })
        await mails.post(tx, {
          kind: 'invitation',
          to: email,
          locale: locale ?? (await languageFor(tx, { organizationId, email })),
          values: { organization, inviter: mailable(inviter?.name, inviter?.email ?? organization), role: handed.name, hours: invitationHours },
          url: `${issuer}/account/invitation/${token}`,
        })
        record('invitation.created', row, { organizationId })
        return toInvitation(row)
      })
    },
    revoke: (actor, { organizationId, id, expect }) =>
      change(actor, async (tx, record) => {
        const [row] = await tx.invitation.updateManyAndReturn({ where: { id, organizationId, ...open() }, data: { revokedAt: now() } })
        if (!row) throw new Problem('not_found')
        expect?.(toInvitation(row))
        record('invitation.revoked', row, { organizationId })
      }),
    find: async token => {
      const [row] = await database.run<FoundRow>(byToken, [hashOf('invitation', token)])
      if (!row) return undefined
      const { email, role, invited_by: invitedBy, ...organization } = row
      const given = await findGiven(database.prisma, { organizationId: organization.id, role, invitedBy })
      return given && { email, role, organization }
    },
    accept: async (actor, { token, userId }) => {
      const accepted = await change(actor, async (tx, record) => {
        const where = { tokenHash: new Uint8Array(hashOf('invitation', token)), ...open() }
        // The organization is locked before the row, as by whoever invites again or renames the role: else each waits for the other.
        const found = await tx.invitation.findFirst({ where, select: { organizationId: true } })
        if (!found) throw new Problem('link_expired')
        const organizationId = organizationIdSchema.parse(found.organizationId)
        const organization = await lock(tx, organizationId).catch(gone)
        // One statement decides who accepts; what is wrong afterwards rolls it back.
        const [invitation] = await tx.invitation.updateManyAndReturn({ where, data: { acceptedAt: now() } })
        if (!invitation) throw new Problem('link_expired')
        await keepPerson(tx, userId)
        const user = await tx.user.findFirst({ where: { id: userId, deletedAt: null, suspendedAt: null } })
        if (!user?.emailVerifiedAt || user.emailNormalized !== invitation.email) throw new Problem('wrong_address')
        const given = await findGiven(tx, invitation)
        if (!given) {
          // Kept, so that it does not live again with the right of who made it.
          await tx.invitation.update({ where: { id: invitation.id }, data: { acceptedAt: null, revokedAt: now() } })
          record('invitation.revoked', invitation, { organizationId })
          return undefined
        }
        const { count } = await tx.organizationMember.createMany({ data: { organizationId, userId, ...given }, skipDuplicates: true })
        if (count === 0) throw new Problem('member_exists')
        record('invitation.accepted', { ...invitation, user_id: userId }, { organizationId })
        record('organization.member_added', { id: userId, role: invitation.role }, { organizationId })
        return { email: invitation.email, role: invitation.role, organization }
      })
      if (!accepted) throw new Problem('link_expired')
      return accepted
    },
  }
}

// That of the person, where they are one already, else the organization's.
const languageFor = async (tx: TransactionClient, { organizationId, email }: { organizationId: string; email: string }) => {
  const user = await tx.user.findFirst({ where: { emailNormalized: email, deletedAt: null }, select: { locale: true } })
  if (user?.locale) return user.locale
  const organization = await tx.organization.findUnique({ where: { id: organizationId }, select: { branding: true } })
  return readBranding(organization?.branding).default_language
}

/** Forgets whom nobody can join any more since a month: an address is somebody's. */
export const purgeInvitations = createPurge({ table: 'invitations', due: "expires_at < now() - interval '30 days'" })

// The organization it was for is no more.
const gone = (cause: unknown): never => {
  if (cause instanceof Problem && cause.code === 'not_found') throw new Problem('link_expired', { cause })
  throw cause
}

type FoundRow = Pick<Organization, 'id' | 'name' | 'slug'> & { readonly email: string; readonly role: string; readonly invited_by: string | null }

interface Row {
  readonly id: string
  readonly organizationId: string
  readonly email: string
  readonly role: string
  readonly invitedBy: string | null
  readonly createdAt: Date
  readonly expiresAt: Date
}

const toInvitation = (row: Row): Invitation => ({ ...row, invitedBy: row.invitedBy ?? undefined })

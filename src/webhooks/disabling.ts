// Disables a webhook that cannot be delivered to, and tells those who can mend it.
//
// The event that was given up is marked so; it can be sent again by hand. Everything behind it waits: whoever enables the webhook goes on where it
// stopped, for as long as deliveries are kept.
import type { Mails } from '../mails/mails.ts'
import { systemActor } from '../platform/actor.ts'
import { managementPrefix } from '../platform/api-identifier.ts'
import type { Change } from '../platform/data/change.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import { mailable } from '../platform/http/text.ts'
import type { Held } from './line.ts'
import type { Attempt } from './send.ts'
import { told, type WebhookRow } from './webhook.ts'

/** Gives an event up and disables its webhook. Does nothing where that is no longer ours, or disabled already. */
export type GiveUp = (held: Held, eventId: string, attempt: Attempt) => Promise<void>

interface Needs {
  readonly change: Change
  readonly mails: Mails
  readonly isMailPossible: boolean
  readonly issuer: string
  readonly now: () => Date
}

const maxMails = 20
const keptDays = 30

/** Makes it. */
export const createGiveUp =
  ({ change, mails, isMailPossible, issuer, now }: Needs): GiveUp =>
  async ({ id, lease }, eventId, { isGone, status, error, durationMilliseconds }) => {
    const reason = isGone ? 'gone' : 'failing'
    const disable = change(systemActor, async (tx, record) => {
      const [row] = await tx.webhook.updateManyAndReturn({
        where: { id, lease, disabledAt: null },
        data: { disabledAt: now(), disabledReason: reason, lockedUntil: null, failures: 0 },
      })
      if (!row) throw new Problem('conflict')
      const data = {
        state: 'failed',
        attempts: { increment: 1 },
        attemptedAt: now(),
        status: status ?? null,
        error: error ?? null,
        durationMs: durationMilliseconds,
      }
      await tx.webhookDelivery.updateMany({ where: { webhookId: id, eventId, state: 'waiting' }, data })
      record('webhook.disabled', { ...told(row), reason }, { organizationId: row.organizationId ?? undefined })
      if (isMailPossible) await tell(tx, { row, reason, mails, issuer })
    })
    await disable.catch(passOver)
  }

const passOver = (error: unknown) => {
  if (!(error instanceof Problem && error.code === 'conflict')) throw error
}

const tell = async (tx: TransactionClient, { row, reason, mails, issuer }: { row: WebhookRow; reason: string } & Pick<Needs, 'mails' | 'issuer'>) => {
  const values = { ...(await namesOf(tx, row, issuer)), host: new URL(row.url).host, reason, days: keptDays }
  const standing = row.organizationId === null ? { systemRole: 'admin' } : { memberships: { some: { organizationId: row.organizationId, role: 'owner' } } }
  const people = await tx.user.findMany({
    where: { ...standing, deletedAt: null, suspendedAt: null },
    select: { email: true, locale: true },
    orderBy: { id: 'asc' },
    take: maxMails,
  })
  for (const { email, locale } of people) await mails.post(tx, { kind: 'webhook_disabled', to: email, locale: locale ?? undefined, values })
}

// Which webhook it is, whose, and where it is enabled.
const namesOf = async (tx: TransactionClient, { id, name, organizationId }: WebhookRow, issuer: string) => {
  const named = mailable(name, id)
  const webhook = named === id ? id : `${named} (${id})`
  if (organizationId === null) return { webhook, place: 'system', organization: '', at: `${issuer}${managementPrefix}/webhooks/${id}` }
  const organization = await tx.organization.findUnique({ where: { id: organizationId }, select: { name: true } })
  const at = `${issuer}${managementPrefix}/organizations/${organizationId}/webhooks/${id}`
  return { webhook, place: 'organization', organization: mailable(organization?.name, organizationId), at }
}

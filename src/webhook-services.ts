// What sends events out: webhooks, what became of each event, and who delivers.

import { toEvent } from './audit/audit-event.ts'
import { outputOf } from './audit/output.ts'
import type { Config } from './config.ts'
import type { Foundation } from './foundation.ts'
import { organizationIdSchema } from './organizations/organization.ts'
import { lockOrganization as lock } from './organizations/organizations.ts'
import type { TransactionClient } from './platform/data/database.ts'
import { createAddressRule } from './platform/http/outbound.ts'
import type { Resources } from './resources.ts'
import { createDeliverer } from './webhooks/deliverer.ts'
import { createDeliveries } from './webhooks/deliveries.ts'
import { createGiveUp } from './webhooks/disabling.ts'
import { createLine, createWebhookBacklog } from './webhooks/line.ts'
import { createSend } from './webhooks/send.ts'
import { createWebhooks } from './webhooks/webhooks.ts'

const timeoutMilliseconds = 15_000

/** Makes them. */
export const createWebhookServices = (
  { database, secrets, log, randomBytes, now }: Resources,
  { change, mails, isMailPossible, outbound, newUuid }: Foundation,
  { environment, issuer, outboundAllowed }: Pick<Config, 'environment' | 'issuer' | 'outboundAllowed'>,
) => {
  const lockOrganization = (tx: TransactionClient, id: string) => lock(tx, organizationIdSchema.parse(id))
  const tellEvent = async (id: string) => {
    const row = await database.prisma.auditEvent.findUnique({ where: { id } })
    return row ? outputOf(toEvent(row)) : undefined
  }
  const line = createLine(database)
  // Of an answer the status counts alone.
  const send = createSend({ fetch: outbound({ maxBytes: 16 * 1024, milliseconds: timeoutMilliseconds }), now })
  return {
    webhooks: createWebhooks({
      ...{ database, change, secrets, lockOrganization, randomBytes, newUuid, now },
      isPlainAllowed: environment !== 'production',
      isReached: createAddressRule({ isLoopbackAllowed: environment !== 'production', allowed: outboundAllowed }),
    }),
    webhookDeliveries: createDeliveries({ database, change }),
    webhookBacklog: createWebhookBacklog(database),
    startDelivering: createDeliverer({ line, send, giveUp: createGiveUp({ change, mails, isMailPossible, issuer, now }), tellEvent, secrets, log }),
  }
}

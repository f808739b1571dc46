// What others run: receivers of webhooks and the mail server, dead, slow and huge.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { systemActor } from '../../../src/platform/actor.ts'
import { startRelay } from '../../support/relay.ts'
import { startSmtp } from '../../support/smtp.ts'
import { until } from '../../support/until.ts'
import { startWebhookReceiver, type WebhookReceiver } from '../../support/webhook-receiver.ts'
import { type Ground, underTraffic } from './ground.ts'
import type { Row } from './row.ts'

const events = 10
const mails = 20

export const sickReceivers: Row = {
  name: 'webhooks',
  fault: 'Receivers of webhooks hang, are slow, answer hugely',
  done: `one never answers, one after 3 s, one with 20 MB, for 15 s; ${events} events each`,
  run: async () => {
    let isSick = true
    const huge = 'x'.repeat(20_000_000)
    const ways = ['never', { status: 200, milliseconds: 3000 }, { status: 200, body: huge }] as const
    const receivers: WebhookReceiver[] = []
    try {
      for (const way of ways) receivers.push(await startWebhookReceiver({ answer: () => (isSick ? way : { status: 204 }) }))
      return await underTraffic({ size: 2 }, async ground => {
        const names = await fill(ground, receivers)
        await ground.fault(async () => {
          await sleep(15_000)
          isSick = false
        })
        await untilDelivered(ground)
        for (const { received } of receivers) {
          const told = [...new Map(received.map(({ id, json }) => [id, String(json.data.target.details.name)])).values()]
          ground.holds(JSON.stringify(told) === JSON.stringify(names), `a receiver was told ${told}`)
        }
        verifyUndisturbed(ground)
        ground.see(`all ${events * receivers.length} events delivered, each receiver's in order`)
      })
    } finally {
      for (const one of receivers) one.close()
    }
  },
}

export const deadMailServer: Row = {
  name: 'smtp',
  fault: 'The mail server is gone',
  done: `refuses connections for 15 s while ${mails} people register`,
  run: async () => {
    const smtp = await startSmtp()
    const relay = await startRelay({ host: '127.0.0.1', port: smtp.port })
    try {
      return await underTraffic({ size: 2, settings: { SMTP_URL: `smtp://127.0.0.1:${relay.port}` } }, async ground => {
        const emails: string[] = []
        await ground.fault(async () => {
          relay.cut()
          for (let time = 0; time < mails; time += 1) emails.push(await register(ground))
          await sleep(10_000)
          relay.mend()
        })
        const mended = performance.now()
        await until(() => emails.every(email => smtp.delivered.some(({ to }) => to.includes(email))), 120)
        verifyUndisturbed(ground)
        ground.see(`all ${mails} mails arrived within ${((performance.now() - mended) / 1000).toFixed(0)} s of its return`)
      })
    } finally {
      relay.close()
      await smtp.close()
    }
  },
}

/** Makes an organization with a webhook for each receiver, and events for all; answers what they tell of. */
async function fill({ cluster }: Ground, receivers: readonly WebhookReceiver[]): Promise<string[]> {
  const names = Array.from({ length: events }, (_, at) => `role-${at}`)
  await cluster.withServices(async ({ organizations, webhooks, roles }) => {
    const { id: organizationId } = await organizations.create(systemActor, { name: `Faults ${randomUUID()}` })
    for (const { url } of receivers) await webhooks.create(systemActor, { organizationId, url, events: ['role.*'] })
    for (const name of names) await roles.create(systemActor, { organizationId, name, permissions: [] })
  })
  return names
}

/** What failed is due at once, as if the time until the next try had passed. */
async function untilDelivered({ cluster }: Ground): Promise<void> {
  const client = new pg.Client(cluster.postgres.url)
  await client.connect()
  try {
    await until(async () => {
      await sleep(1000)
      await client.query('UPDATE webhooks SET next_at = now() WHERE locked_until IS NULL')
      return (await client.query("SELECT FROM webhook_deliveries WHERE state <> 'delivered'")).rowCount === 0
    }, 90)
  } finally {
    await client.end()
  }
}

async function register({ calls }: Ground): Promise<string> {
  const email = `${randomUUID()}@people.example`
  const body = JSON.stringify({ email, password: 'violet umbrella 77', full_name: 'Ida Example' })
  const { status } = await calls.call('/api/v1/auth/register', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  if (status !== 201) throw new Error(`registering answered ${status}`)
  return email
}

function verifyUndisturbed({ passed, holds }: Ground): void {
  const failed = passed.filter(({ failure }) => failure !== undefined)
  holds(failed.length === 0, `${failed.length} requests failed: ${failed[0]?.kind} ${failed[0]?.failure}`)
}

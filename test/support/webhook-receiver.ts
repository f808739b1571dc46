// Receives webhooks as their owners would: keeps what came, verifies it by the Standard Webhooks library, and answers as it is told.
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Webhook } from 'standardwebhooks'
import { until } from './until.ts'

/** What came. */
export interface Received {
  readonly id: string
  readonly headers: IncomingHttpHeaders
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects to be there.
  readonly json: any
}

/** How a request is answered: with a status, after a while or once something happened, or never. */
export type ReceiverAnswer =
  | {
      readonly status: number
      readonly headers?: Record<string, string>
      readonly milliseconds?: number
      readonly when?: Promise<void>
      readonly body?: string
    }
  | 'never'

export type WebhookReceiver = Awaited<ReturnType<typeof startWebhookReceiver>>

/** Starts it. `answer` says how the how-manieth request, from 1, is answered. */
export async function startWebhookReceiver({ answer = () => ({ status: 204 }) }: { answer?: (time: number, received: Received) => ReceiverAnswer } = {}) {
  const received: Received[] = []
  let [closed, atOnce, most] = [0, 0, 0]
  const server = createServer(async (request, response) => {
    const text = Buffer.concat(await request.toArray()).toString()
    const one = { id: String(request.headers['webhook-id']), headers: request.headers, text, json: JSON.parse(text) }
    received.push(one)
    response.on('close', () => {
      if (!response.writableEnded) closed += 1
    })
    const told = answer(received.length, one)
    if (told === 'never') return
    atOnce += 1
    most = Math.max(most, atOnce)
    await sleep(told.milliseconds ?? 0)
    await told.when
    atOnce -= 1
    response.writeHead(told.status, told.headers).end(told.body)
  }).listen(0, 'localhost')
  await once(server, 'listening')
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/hook?key=of-the-receiver`,
    received,
    /** How many requests their sender gave up. */
    abandoned: () => closed,
    /** How many were under way at once, at most. */
    mostAtOnce: () => most,
    ids: () => received.map(({ id }) => id),
    types: () => received.map(({ json }) => String(json.type)),
    /** Waits until so many came. */
    count: (many: number) => until(() => received.length >= many),
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** Whether the library takes it for signed by the secret just now. */
export function isVerified({ text, headers }: Received, secret: string): boolean {
  try {
    new Webhook(secret).verify(text, headers as Record<string, string>)
    return true
  } catch (error) {
    if (error instanceof Error && error.name === 'WebhookVerificationError') return false
    if (error instanceof Error && /signature/i.test(error.message)) return false
    throw error
  }
}

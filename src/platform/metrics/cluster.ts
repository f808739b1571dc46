// Metrics of several processes that share a port: whichever of them is scraped tells the sum of all, which the primary knows.
//
// prom-client's own way asks whoever is connected: one that still boots lets it time out, which it never forgets, and what a process
// counted is gone when that ends. Here are asked only those that said they are ready, and gathering.ts keeps what was counted.
import cluster, { type Worker } from 'node:cluster'
import { createGathering, type Snapshot } from './gathering.ts'

const types = { scrape: 'authy2:metrics', ready: 'authy2:metrics-ready', ask: 'authy2:metrics-ask', told: 'authy2:metrics-told' } as const
const patienceMilliseconds = 6000

interface Message {
  readonly type: (typeof types)[keyof typeof types]
  readonly id: number
  readonly text?: string
  readonly metrics?: Snapshot
}

/** In the primary: answers workers that are scraped. Each worker needs its own metrics (`createMetrics`), the primary none. */
export const answerScrapes = (): void => {
  const gathering = createGathering()
  const asked = new Map<number, { readonly resolve: (metrics: Snapshot) => void; readonly reject: (reason: Error) => void }>()
  const ask = async (worker: Worker): Promise<Snapshot> => {
    const { promise, resolve, reject } = Promise.withResolvers<Snapshot>()
    asked.set(worker.id, { resolve, reject })
    tell(worker, { type: types.ask, id: worker.id })
    return promise
  }
  cluster.on('message', (worker: Worker, message: unknown) => {
    if (!isOurs(message)) return
    if (message.type === types.ready) gathering.join(worker.id, () => ask(worker))
    if (message.type === types.told && message.metrics) {
      gathering.hear(worker.id, message.metrics)
      asked.get(worker.id)?.resolve(message.metrics)
    }
    if (message.type !== types.scrape) return
    gathering.tell().then(
      text => tell(worker, { ...message, text }),
      // Whoever was scraped tells its own.
      () => tell(worker, message),
    )
  })
  // Not at its exit, after which what it said last may still be on the way.
  cluster.on('disconnect', (worker: Worker) => {
    asked.get(worker.id)?.reject(new Error('it ended'))
    asked.delete(worker.id)
    gathering.leave(worker.id)
  })
}

const tell = (worker: Worker, message: Message) => {
  if (worker.isConnected()) worker.send(message)
}

/** In a worker of a cluster: tells the primary its metrics when that asks, and that it may. Elsewhere it does nothing. */
export const answerPrimary = (read: () => Promise<Snapshot>): void => {
  if (!cluster.isWorker || !process.send) return
  process.on('message', message => {
    if (!isOurs(message) || message.type !== types.ask) return
    read().then(
      metrics => process.connected && process.send?.({ type: types.told, id: message.id, metrics } satisfies Message),
      () => undefined, // then it is told by what it said last
    )
  })
  process.send({ type: types.ready, id: 0 } satisfies Message)
}

/** In a worker of a cluster that is about to end: tells the primary what it counted since it was asked last. Elsewhere it does nothing. */
export const tellPrimaryLast = async (read: () => Promise<Snapshot>): Promise<void> => {
  if (!cluster.isWorker || !process.connected) return
  const metrics = await read()
  await new Promise<void>(resolve => {
    // Whether it arrives or not, the process ends.
    if (process.connected) process.send?.({ type: types.told, id: 0, metrics } satisfies Message, undefined, undefined, () => resolve())
    else resolve()
  })
}

const waiting = new Map<number, (text: string | undefined) => void>()
let last = 0

/** In a worker of a cluster: the metrics of all workers, as Prometheus text; `undefined` where the primary does not tell, and outside clusters. */
export const scrapeCluster = async (): Promise<string | undefined> => {
  if (!cluster.isWorker || !process.send) return undefined
  if (last === 0) process.on('message', hear)
  last += 1
  const id = last
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const timer = setTimeout(() => resolve(undefined), patienceMilliseconds)
  waiting.set(id, resolve)
  process.send({ type: types.scrape, id } satisfies Message)
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    waiting.delete(id)
  }
}

const hear = (message: unknown) => {
  if (isOurs(message) && message.type === types.scrape) waiting.get(message.id)?.(message.text)
}

const known = new Set<unknown>(Object.values(types))
const isOurs = (message: unknown): message is Message => typeof message === 'object' && message !== null && 'type' in message && known.has(message.type)

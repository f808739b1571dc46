// What is read at a scrape: the state of the database, Redis, the queue, webhooks, hashing and the signing keys, and which build this is.
import type { Passwords } from './authentication/password.ts'
import type { SigningKeys } from './oidc/signing-keys.ts'
import type { KindState } from './platform/jobs/queue-state.ts'
import { readQueueState } from './platform/jobs/queue-state.ts'
import type { Metrics, Reading } from './platform/metrics/metrics.ts'
import { createSampled } from './platform/metrics/sampled.ts'
import type { Resources } from './resources.ts'
import { version } from './version.ts'
import type { WebhookBacklog } from './webhooks/line.ts'

interface Needs {
  readonly passwords: Passwords
  readonly signingKeys: SigningKeys
  readonly webhookBacklog: WebhookBacklog
}

/** Tells them to what is scraped. */
export const measure = (resources: Resources, { passwords, signingKeys, webhookBacklog }: Needs): void => {
  const { metrics } = resources
  if (!metrics) return
  const labels = { version, node: process.versions.node }
  metrics.gauge({
    name: 'authy2_build_info',
    help: 'Which build this is; always 1.',
    labels: ['version', 'node'],
    together: 'max',
    read: () => [{ labels, value: 1 }],
  })
  measureDatabase(metrics, resources)
  measureRedis(metrics, resources)
  measureQueue(metrics, resources)
  measureWebhooks(metrics, webhookBacklog)
  measureHashing(metrics, passwords)
  measureKeys(metrics, { signingKeys, now: resources.now })
}

const measureDatabase = (metrics: Metrics, { database }: Resources) => {
  const ping = timed(() => database.ping())
  metrics.beforeScrape(ping.refresh)
  metrics.gauge({
    name: 'authy2_database_up',
    help: 'Whether the database answered within a second: 1 or 0.',
    together: 'max',
    read: () => [{ value: ping.value() === undefined ? 0 : 1 }],
  })
  metrics.gauge({
    name: 'authy2_database_ping_seconds',
    help: 'How long the database took to answer; over a connection that requests do not use, but for the embedded one, which has one for all.',
    together: 'max',
    read: () => some(ping.value()),
  })
  const { state } = database
  metrics.gauge({
    name: 'authy2_database_connections',
    help: 'Connections to the database that requests and jobs share, in use or idle.',
    labels: ['state'],
    read: () => {
      const { open, idle } = state().connections
      return [
        { labels: { state: 'used' }, value: open - idle },
        { labels: { state: 'idle' }, value: idle },
      ]
    },
  })
  metrics.gauge({
    name: 'authy2_database_connections_waiting',
    help: 'Statements that wait for a connection.',
    read: () => [{ value: state().connections.waiting }],
  })
  metrics.total({
    name: 'authy2_database_round_trips_total',
    help: 'Statements that were sent over the connections that requests and jobs share.',
    read: () => [{ value: database.roundTrips() }],
  })
}

const measureRedis = (metrics: Metrics, { redis }: Resources) => {
  if (!redis) return
  const ping = timed(() => redis.ping())
  metrics.beforeScrape(ping.refresh)
  metrics.gauge({
    name: 'authy2_redis_up',
    help: 'Whether Redis answered within a second: 1 or 0; absent where none is configured.',
    together: 'max',
    read: () => [{ value: ping.value() === undefined ? 0 : 1 }],
  })
  metrics.gauge({ name: 'authy2_redis_ping_seconds', help: 'How long Redis took to answer.', together: 'max', read: () => some(ping.value()) })
  metrics.total({ name: 'authy2_redis_round_trips_total', help: 'Writes to the sockets of Redis.', read: () => [{ value: redis.roundTrips() }] })
}

const measureQueue = (metrics: Metrics, { database }: Resources) => {
  const queue = createSampled(() => readQueueState(database))
  metrics.beforeScrape(queue.refresh)
  const ofEach = (value: (state: KindState) => number) => () => (queue.value() ?? []).map(one => ({ labels: { kind: one.kind }, value: value(one) }))
  const all = { labels: ['kind'], together: 'max' } as const
  metrics.gauge({ ...all, name: 'authy2_jobs_waiting', help: 'Jobs to be done, now or later, or under way.', read: ofEach(one => one.waiting) })
  metrics.gauge({ ...all, name: 'authy2_jobs_due', help: 'Jobs whose time has come, or that are under way.', read: ofEach(one => one.due) })
  metrics.gauge({ ...all, name: 'authy2_jobs_dead', help: 'Jobs that were given up and are kept.', read: ofEach(one => one.dead) })
  metrics.gauge({
    ...all,
    name: 'authy2_jobs_oldest_due_seconds',
    help: 'For how long the job that is due longest is due.',
    read: ofEach(one => one.oldestDueSeconds),
  })
}

const measureWebhooks = (metrics: Metrics, ask: WebhookBacklog) => {
  const backlog = createSampled(ask)
  metrics.beforeScrape(backlog.refresh)
  metrics.gauge({
    name: 'authy2_webhook_events_waiting',
    help: 'Events that wait to be delivered, to webhooks that are not disabled.',
    together: 'max',
    read: () => some(backlog.value()?.waiting),
  })
  metrics.gauge({
    name: 'authy2_webhook_oldest_waiting_seconds',
    help: 'For how long the oldest of them waits.',
    together: 'max',
    read: () => some(backlog.value()?.oldestSeconds),
  })
}

const measureHashing = (metrics: Metrics, { state }: Passwords) => {
  metrics.gauge({ name: 'authy2_password_hashes_running', help: 'Passwords that are being hashed.', read: () => [{ value: state().running }] })
  metrics.gauge({ name: 'authy2_password_hashes_waiting', help: 'Passwords that wait to be hashed.', read: () => [{ value: state().waiting }] })
  metrics.total({
    name: 'authy2_password_hashes_refused_total',
    help: 'Passwords that were turned away because too many waited (503).',
    read: () => [{ value: state().refused }],
  })
}

const measureKeys = (metrics: Metrics, { signingKeys, now }: Pick<Needs, 'signingKeys'> & Pick<Resources, 'now'>) => {
  const keys = createSampled(() => signingKeys.describe(), { freshFor: 60_000 })
  metrics.beforeScrape(keys.refresh)
  metrics.gauge({
    name: 'authy2_signing_key_age_seconds',
    help: 'For how long the current key of an algorithm has been the current one.',
    labels: ['algorithm'],
    together: 'max',
    read: () =>
      (keys.value() ?? [])
        .filter(({ state }) => state === 'current')
        .map(({ algorithm, activatedAt, createdAt }) => ({
          labels: { algorithm },
          value: (now().getTime() - (activatedAt ?? createdAt).getTime()) / 1000,
        })),
  })
}

const timed = (work: () => Promise<void>) =>
  createSampled(async () => {
    const startedAt = performance.now()
    await work()
    return (performance.now() - startedAt) / 1000
  })

const some = (value: number | undefined): readonly Reading[] => (value === undefined ? [] : [{ value }])

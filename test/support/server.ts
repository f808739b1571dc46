// A whole server of the test's own: fresh database, demo data, real HTTP on a free port.
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { createServer as createSocket } from 'node:net'
import { type App, createApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { seedDemoData } from '../../src/demo-data.ts'
import { startAllJobs } from '../../src/jobs.ts'
import { systemActor } from '../../src/platform/actor.ts'
import type { Database } from '../../src/platform/data/database.ts'
import { openSecrets } from '../../src/platform/data/lasting-keys.ts'
import { createResolveTxt } from '../../src/platform/dns.ts'
import { openLog } from '../../src/platform/log.ts'
import { createMailbox, type KeptMail } from '../../src/platform/mailbox.ts'
import { createMetrics } from '../../src/platform/metrics/metrics.ts'
import { openTracing, type Resources } from '../../src/resources.ts'
import { createServices, type Services } from '../../src/services.ts'
import { createListener } from '../../src/tls.ts'
import { captureLog } from './canaries.ts'
import { makeDataDir, openTestDatabase } from './database.ts'
import { demoWith, lightHashing, testSecretKey } from './demo-filling.ts'
import { takeRedis } from './redis-database.ts'
import { fetchThrough, type Standing } from './upstreams/world.ts'

/** What a test may do with its server. */
export interface TestServer {
  readonly issuer: string
  readonly app: App
  readonly services: Services
  readonly resources: Resources
  /** What was mailed to an address, the newest first. */
  mailsTo(address: string): Promise<readonly KeptMail[]>
  /** All that it logged so far, at every level. */
  logged(): string
  /** Throws when a secret of the tests stands in the log. */
  close(): Promise<void>
}

interface Given {
  readonly port?: number
  readonly settings?: Readonly<Record<string, string>>
  readonly isWithoutMail?: boolean
  /** Its database, where that is there already; the server closes it. */
  readonly database?: Database
  /** For what measures time: passwords are hashed at their real cost, and the embedded database is compiled for speed. */
  readonly isMeasured?: boolean
  /** Who is asked for TXT records, as `address:port`. */
  readonly dnsServers?: readonly string[]
  /** Another clock; the database and the engine keep their own. */
  readonly now?: () => Date
  /** Stands before the app. */
  readonly through?: (app: RequestListener) => RequestListener
  /** Servers that stand in for providers of the world, such as Google. */
  readonly world?: readonly Standing[]
}

/** Starts it, on a free port unless told otherwise; PostgreSQL and Redis where DATABASE_URL and REDIS_URL say so, else embedded. */
export async function startServer(given: Given = {}): Promise<TestServer> {
  const port = given.port ?? (await freePort())
  const config = readConfig({
    NODE_ENV: 'test',
    PORT: String(port),
    LOG_LEVEL: process.env.LOG_LEVEL ?? 'silent',
    SEED_DEMO: 'true',
    // Many tests at once on a busy machine are no slow storage.
    REQUEST_TIMEOUT_SECONDS: '60',
    SECRET_KEY: testSecretKey,
    ...given.settings,
  })
  const hashingCost = given.isMeasured ? undefined : lightHashing
  const [database, redis] = await Promise.all([
    given.database ?? openTestDatabase(config.isDemoSeeded ? demoWith(hashingCost) : undefined, { isBrief: !given.isMeasured }),
    process.env.REDIS_URL ? takeRedis(process.env.REDIS_URL, config.tracing !== undefined) : undefined,
  ])
  const mailDirectory = makeDataDir()
  const mailbox = createMailbox({ directory: mailDirectory.dataDir, now: () => new Date() })
  const captured = captureLog(config.logLevel)
  const tracing = await openTracing(config)
  const resources: Resources = {
    database,
    redis,
    log: openLog('trace', captured.stream),
    metrics: createMetrics(),
    tracing,
    ...(given.isWithoutMail ? {} : { mailer: mailbox, mailbox }),
    secrets: await openSecrets({ database, secretKey: config.secretKey ?? testSecretKey, previousKeys: config.previousSecretKeys, randomBytes }),
    hashingCost,
    resolveTxt: createResolveTxt({ servers: given.dnsServers }),
    now: given.now ?? (() => new Date()),
    randomBytes,
    newId: randomUUID,
    reroute: guarded => fetchThrough(given.world ?? [], guarded),
    applied: [],
    close: async () => {
      await redis?.close()
      await database.close()
      await tracing?.close()
      mailDirectory.remove()
    },
  }
  const services = createServices(resources, config)
  await services.signingKeys.ensure(systemActor)
  await services.settingsConnections.ensure(systemActor)
  await seedDemoData(services)
  const app = await createApp({ config, resources, services })
  const stopJobs = config.areJobsRunHere ? startAllJobs({ config, resources, services, engine: app.protocol.engine }) : async () => undefined
  const server = createListener(config, { listener: given.through?.(app.listener) ?? app.listener, log: resources.log })
  server.listen(port, 'localhost')
  await once(server, 'listening')
  return {
    issuer: config.issuer,
    app,
    services,
    resources,
    mailsTo: async address => (await mailbox.list()).filter(({ to }) => to === address),
    logged: captured.text,
    close: async () => {
      server.close()
      server.closeAllConnections()
      await stopJobs()
      await resources.close()
      captured.verify()
    },
  }
}

let portsTaken = 0

/** A port that nobody listens on, and below those that the system gives to whoever connects: it stays free until it is listened on. */
export async function freePort(): Promise<number> {
  // Each process begins elsewhere, so that none takes what another is about to.
  const port = 20_000 + ((process.pid * 107 + portsTaken++) % 12_000)
  const socket = createSocket().listen(port, 'localhost')
  try {
    await once(socket, 'listening')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return freePort()
    throw error
  }
  socket.close()
  await once(socket, 'close')
  return port
}

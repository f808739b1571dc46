// A server process, of which `npm start` runs as many as WORKERS says: config → resources → services → app → listen; drains on SIGTERM.
import cluster from 'node:cluster'
import { type App, createApp } from './app.ts'
import { type Config, ConfigError, readConfig } from './config.ts'
import { seedDemoData } from './demo-data.ts'
import { findOpenDemo, refuseDemoData } from './demo-kept.ts'
import { startAllJobs } from './jobs.ts'
import { listenOn } from './listen.ts'
import { systemActor } from './platform/actor.ts'
import { isLoopbackAddress } from './platform/http/loopback.ts'
import type { Log } from './platform/log.ts'
import { fail, loadEnvironmentFile, stopOnSignal } from './process.ts'
import { openResources, type Resources } from './resources.ts'
import { createServices } from './services.ts'
import { createShutdown, type Shutdown, stopTasksInTime } from './shutdown.ts'
import { releaseStartMemory } from './start-memory.ts'
import { startText } from './start-text.ts'
import { startLearning, startTasks, startVacuum } from './tasks.ts'
import { createListener } from './tls.ts'

// The time to stop is used up by then.
const learningMilliseconds = 1000

const start = async () => {
  const startedAt = performance.now()
  loadEnvironmentFile()
  const config = readConfig()
  if (config.workers > 1 && cluster.isPrimary) throw new ConfigError(['WORKERS above 1 needs src/cluster.ts, which npm start runs'])
  const resources = await openResources(config)
  const services = createServices(resources, config)
  await services.signingKeys.ensure(systemActor)
  await services.settingsConnections.ensure(systemActor)
  if (config.isDemoSeeded) await seedDemoData(services)
  if (config.environment === 'production') await refuseDemoData(resources.database)
  const shutdown = createShutdown({ graceSeconds: config.shutdownGraceSeconds })
  const app = await createApp({ config, resources, services, isStopping: shutdown.isStopping })
  if (config.environment === 'production') releaseStartMemory()
  const isLocal = await isForThisMachine(config, resources)
  await listen(app, { config, log: resources.log, shutdown, isLocal })
  const stopTasks = [
    ...startTasks(resources, services),
    startVacuum(resources),
    ...(config.areJobsRunHere ? [startAllJobs({ config, resources, services, engine: app.protocol.engine })] : []),
  ]
  const stopLearning = startLearning(resources, services, app.protocol.engine)
  if (isFirst()) process.stdout.write(startText(config, { milliseconds: performance.now() - startedAt, applied: resources.applied, isLocal }))
  answerRoundTrips(resources)
  stopOnSignal(async () => {
    const [, failures] = await Promise.all([shutdown.drain(), stopTasksInTime(stopTasks)])
    for (const error of failures) resources.log.warn({ err: error }, 'a task could not be stopped, and is left')
    // Who serves on needs to hear of what others change until the last answer.
    await stopTasksInTime(stopLearning, learningMilliseconds)
    await resources.metrics?.leave()
    await resources.close()
  }, resources.log)
}

// Of several processes one tells the newcomer.
const isFirst = () => cluster.worker === undefined || cluster.worker.id === 1

interface Listening {
  readonly config: Config
  readonly log: Log
  readonly shutdown: Shutdown
  /** Whether only this machine is answered. */
  readonly isLocal: boolean
}

// Known passwords, and mail that anybody may read, are for this machine alone, unless the operator says where to listen.
const isForThisMachine = async ({ host, environment }: Config, { mailbox, database }: Resources): Promise<boolean> =>
  host === undefined && environment !== 'production' && (mailbox !== undefined || (await findOpenDemo(database)).length > 0)

const listen = async ({ listener }: App, { config, log, shutdown, isLocal }: Listening): Promise<void> => {
  const { port, host } = config
  const server = createListener(config, { listener, log })
  shutdown.guard(server)
  if (isLocal) server.on('connection', socket => isLoopbackAddress(socket.remoteAddress) || socket.destroy())
  await listenOn(server, { port, host, setting: 'PORT' })
}

// The benchmark asks over IPC how many round trips were made.
const answerRoundTrips = ({ database, redis }: Resources) => {
  process.on('message', message => {
    if (message === 'round-trips') process.send?.({ roundTrips: { database: database.roundTrips(), redis: redis?.roundTrips() ?? 0 } })
  })
}

start().catch(fail)

// Starts the web process: config → resources → services → app → listen; drains on SIGTERM.
import { once } from 'node:events'
import type { Server } from 'node:http'
import { type App, createApp } from './app.ts'
import { type Config, readConfig } from './config.ts'
import { seedDemoData } from './demo-data.ts'
import { startAllJobs } from './jobs.ts'
import { systemActor } from './platform/actor.ts'
import { refuseMalformed } from './platform/http/connection.ts'
import type { Log } from './platform/log.ts'
import { fail, loadEnvironmentFile, stopOnSignal } from './process.ts'
import { openResources, type Resources } from './resources.ts'
import { createServices } from './services.ts'
import { startText } from './start-text.ts'
import { startCheckpoints, startEndingSessions, startForgetting, startLookingForKeys, startPurging, startRecheckingDomains, startVacuum } from './tasks.ts'
import { createListener } from './tls.ts'

const drainMilliseconds = 10_000

const start = async () => {
  const startedAt = performance.now()
  loadEnvironmentFile()
  const config = readConfig()
  const resources = await openResources(config)
  const services = createServices(resources, config)
  await services.signingKeys.ensure(systemActor)
  await services.settingsConnections.ensure(systemActor)
  if (config.isDemoSeeded) await seedDemoData(services)
  const app = await createApp({ config, resources, services })
  const server = await listen(app, { config, log: resources.log })
  const stopTasks = [
    startPurging(resources),
    startEndingSessions(resources, services),
    startForgetting(resources, services),
    startVacuum(resources),
    ...(config.areJobsRunHere ? [startAllJobs({ config, resources, services, engine: app.protocol.engine })] : []),
    startCheckpoints(resources, services),
    startRecheckingDomains(resources, services),
    startLookingForKeys(resources, app.protocol.engine),
  ]
  process.stdout.write(startText(config, { milliseconds: performance.now() - startedAt, applied: resources.applied }))
  answerRoundTrips(resources)
  stopOnSignal(async () => {
    await drain(server)
    await Promise.all(stopTasks.map(stop => stop()))
    await resources.close()
  })
}

const listen = async ({ listener }: App, { config, log }: { config: Config; log: Log }): Promise<Server> => {
  const { port, host, isDemoSeeded } = config
  const server = createListener(config, listener)
  refuseMalformed(server, log)
  // Known passwords are for this machine alone, unless the operator says where to listen.
  if (isDemoSeeded && host === undefined) server.on('connection', socket => isLoopback(socket.remoteAddress) || socket.destroy())
  server.listen(port, host)
  await once(server, 'listening')
  return server
}

const isLoopback = (address = '') => address === '::1' || /^(::ffff:)?127\./.test(address)

// The benchmark asks over IPC how many round trips were made.
const answerRoundTrips = ({ database, redis }: Resources) => {
  process.on('message', message => {
    if (message === 'round-trips') process.send?.({ roundTrips: { database: database.roundTrips(), redis: redis?.roundTrips() ?? 0 } })
  })
}

const drain = async (server: Server) => {
  const closed = once(server, 'close')
  server.close()
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), drainMilliseconds)
  await closed
  clearTimeout(timer)
}

start().catch(fail)

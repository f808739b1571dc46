// Starts the web process: config → resources → services → app → listen; drains on SIGTERM.
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type App, createApp } from './app.ts'
import { type Config, readConfig } from './config.ts'
import { seedDemoData } from './demo-data.ts'
import { systemActor } from './platform/actor.ts'
import { openResources, type Resources } from './resources.ts'
import { createServices } from './services.ts'
import { startText } from './start-text.ts'

const drainMilliseconds = 10_000
const keyCheckMilliseconds = 5000
const purgeMilliseconds = 60_000

const start = async () => {
  const startedAt = performance.now()
  if (existsSync('.env')) process.loadEnvFile('.env')
  const config = readConfig()
  const resources = await openResources(config)
  const services = createServices(resources)
  await services.signingKeys.ensure(systemActor)
  if (config.isDemoSeeded) await seedDemoData(services)
  const app = await createApp({ config, resources, services })
  const server = await listen(app, config)
  const stopTasks = startTasks(app, resources)
  process.stdout.write(startText(config, { milliseconds: performance.now() - startedAt, applied: resources.applied }))
  answerRoundTrips(resources)
  stopOnSignal(async () => {
    stopTasks()
    await drain(server)
    await resources.close()
  })
}

const listen = async ({ koa }: App, { port, host }: Config): Promise<Server> => {
  // Slow clients are cut off; the keep-alive outlasts that of the proxies in front.
  const server = createServer({ headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 65_000 }, koa.callback())
  server.listen(port, host)
  await once(server, 'listening')
  return server
}

const startTasks = ({ protocol }: App, { log }: Resources) => {
  const task = (name: string, work: () => Promise<unknown>) => () =>
    void work().catch(error => log.warn({ err: error }, `${name} failed and will be tried again`))
  const timers = [
    setInterval(task('looking for new signing keys', protocol.engine.refresh), keyCheckMilliseconds),
    setInterval(task('purging what expired', protocol.purge), purgeMilliseconds),
  ]
  return () => timers.forEach(clearInterval)
}

// The benchmark asks over IPC how many round trips were made.
const answerRoundTrips = ({ database, redis }: Resources) => {
  process.on('message', message => {
    if (message === 'round-trips') process.send?.({ roundTrips: { database: database.roundTrips(), redis: redis?.roundTrips() ?? 0 } })
  })
}

const stopOnSignal = (stop: () => Promise<void>) => {
  let isStopping = false
  const onSignal = () => {
    if (isStopping) return
    isStopping = true
    stop().then(() => process.exit(0), fail)
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
}

const drain = async (server: Server) => {
  const closed = once(server, 'close')
  server.close()
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), drainMilliseconds)
  await closed
  clearTimeout(timer)
}

const fail = (error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (['ConfigError', 'StartError'].includes(error.name) ? error.message : error.stack) : error}\n`)
  process.exit(1)
}

start().catch(fail)

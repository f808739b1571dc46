// Starts the job process: config → resources → services, then the tasks that no request waits for.
import { createApp } from './app.ts'
import { isToRun } from './arguments.ts'
import { ConfigError, readConfig } from './config.ts'
import { startAllJobs } from './jobs.ts'
import { systemActor } from './platform/actor.ts'
import { fail, loadEnvironmentFile, stopOnSignal } from './process.ts'
import { openResources } from './resources.ts'
import { createServices } from './services.ts'
import { stopTasksInTime } from './shutdown.ts'
import { startLearning, startTasks } from './tasks.ts'
import { serveWorker } from './worker-server.ts'

const usage = `Usage: npm run worker
Does the jobs beside servers with RUN_JOBS=false. Takes no options: the settings are in the environment and in .env.`

const start = async () => {
  loadEnvironmentFile()
  const config = readConfig()
  if (config.databaseUrl === undefined) throw new ConfigError(['DATABASE_URL is required for a worker: the embedded database is for one process'])
  const resources = await openResources(config)
  const services = createServices(resources, config)
  await services.signingKeys.ensure(systemActor)
  const { engine } = (await createApp({ config, resources, services })).protocol
  const stopTasks = [...startTasks(resources, services), ...startLearning(resources, services, engine), startAllJobs({ config, resources, services, engine })]
  const { stop: stopServer } = await serveWorker(resources, config)
  process.stdout.write('The Authy2 worker is ready.\n')
  stopOnSignal(async () => {
    await stopServer()
    for (const error of await stopTasksInTime(stopTasks)) resources.log.warn({ err: error }, 'a task could not be stopped, and is left')
    await resources.close()
  }, resources.log)
}

if (isToRun(usage)) start().catch(fail)

// Starts the job process: config → resources → services, then the tasks that no request waits for.
import { createApp } from './app.ts'
import { ConfigError, readConfig } from './config.ts'
import { startAllJobs } from './jobs.ts'
import { systemActor } from './platform/actor.ts'
import { fail, loadEnvironmentFile, stopOnSignal } from './process.ts'
import { openResources } from './resources.ts'
import { createServices } from './services.ts'
import { startCheckpoints, startEndingSessions, startForgetting, startLookingForKeys, startPurging, startRecheckingDomains } from './tasks.ts'

const start = async () => {
  loadEnvironmentFile()
  const config = readConfig()
  if (config.databaseUrl === undefined) throw new ConfigError(['DATABASE_URL is required for a worker: the embedded database is for one process'])
  const resources = await openResources(config)
  const services = createServices(resources, config)
  await services.signingKeys.ensure(systemActor)
  const { engine } = (await createApp({ config, resources, services })).protocol
  const stopTasks = [
    startPurging(resources),
    startEndingSessions(resources, services),
    startForgetting(resources, services),
    startCheckpoints(resources, services),
    startRecheckingDomains(resources, services),
    startLookingForKeys(resources, engine),
    startAllJobs({ config, resources, services, engine }),
  ]
  process.stdout.write('The Authy2 worker is ready.\n')
  stopOnSignal(async () => {
    await Promise.all(stopTasks.map(stop => stop()))
    await resources.close()
  })
}

start().catch(fail)

// Starts the job process: config → resources → services, then the tasks that no request waits for.
import { ConfigError, readConfig } from './config.ts'
import { startAllJobs } from './jobs.ts'
import { fail, loadEnvironmentFile, stopOnSignal } from './process.ts'
import { openResources } from './resources.ts'
import { createServices } from './services.ts'
import { startCheckpoints, startForgetting, startPurging, startRecheckingDomains } from './tasks.ts'

const start = async () => {
  loadEnvironmentFile()
  const config = readConfig()
  if (config.databaseUrl === undefined) throw new ConfigError(['DATABASE_URL is required for a worker: the embedded database is for one process'])
  const resources = await openResources(config)
  const services = createServices(resources, config)
  const stopTasks = [
    startPurging(resources),
    startForgetting(resources, services),
    startCheckpoints(resources, services),
    startRecheckingDomains(resources, services),
    startAllJobs({ config, resources, services }),
  ]
  process.stdout.write('The Authy2 worker is ready.\n')
  stopOnSignal(async () => {
    await Promise.all(stopTasks.map(stop => stop()))
    await resources.close()
  })
}

start().catch(fail)

// What every command does: settings → resources → services → one call → close.
import { type Config, ConfigError, readConfig } from '../src/config.ts'
import { StartError } from '../src/platform/data/start-error.ts'
import { Problem } from '../src/platform/errors.ts'
import { loadEnvironmentFile } from '../src/process.ts'
import { openResources, type Resources } from '../src/resources.ts'
import { createServices, type Services } from '../src/services.ts'

/** Runs one call over open services. What the caller can act on is told in a sentence, with exit code 1. */
export const withServices = async (work: (open: { config: Config; resources: Resources; services: Services }) => Promise<void>): Promise<void> => {
  try {
    loadEnvironmentFile()
    const config = readConfig()
    const resources = await openResources({ ...config, logLevel: 'warn' })
    try {
      await work({ config, resources, services: createServices(resources, config) })
    } finally {
      await resources.close()
    }
  } catch (error) {
    if (!(error instanceof Problem || error instanceof StartError || error instanceof ConfigError)) throw error
    console.error(error.message)
    process.exitCode = 1
  }
}

// Prisma's command line, kept from the network and from advertising itself.
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** The file of the command, or `undefined` where the package is not installed, as in production. */
export function prismaCommand(): string | undefined {
  const require = createRequire(import.meta.url)
  try {
    return join(dirname(require.resolve('prisma/package.json')), 'build/index.js')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}

/** An environment in which the command fetches no engine, reports nothing and shows no notice. */
export function prismaEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    ...environment,
    // The client needs no engine; a path that is there keeps the command from downloading one.
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    PRISMA_HIDE_UPDATE_MESSAGE: 'true',
    CHECKPOINT_DISABLE: '1',
    NO_UPDATE_NOTIFIER: '1',
  }
}

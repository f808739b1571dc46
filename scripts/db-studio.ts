// npm run db:studio     shows the tables in a browser with Prisma Studio: those of DATABASE_URL, or of the embedded database while no server uses it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { ConfigError, readConfig } from '../src/config.ts'
import { silent } from '../src/platform/data/data-log.ts'
import { startEmbedded } from '../src/platform/data/embedded.ts'
import { StartError } from '../src/platform/data/start-error.ts'
import { loadEnvironmentFile } from '../src/process.ts'
import { prismaCommand, prismaEnvironment } from './prisma-command.ts'

const command = prismaCommand()
if (command === undefined) {
  console.error('Prisma Studio needs the prisma package: run npm install with the development dependencies.')
  process.exit(1)
}
// Studio hears Ctrl-C itself; the database closes after it.
process.on('SIGINT', () => {})

try {
  loadEnvironmentFile()
  const { databaseUrl, dataDir } = readConfig()
  if (databaseUrl === undefined) await showEmbedded(command, dataDir)
  else await show(command, databaseUrl)
} catch (error) {
  if (!(error instanceof StartError || error instanceof ConfigError)) throw error
  console.error(error.message)
  process.exitCode = 1
}

async function showEmbedded(command: string, dataDir: string): Promise<void> {
  const embedded = await startEmbedded({ dataDir, log: silent })
  try {
    // Studio's driver takes the folder of a socket from PGHOST only.
    await show(command, 'postgresql:///postgres', { PGHOST: embedded.host, PGUSER: 'postgres' })
  } finally {
    await embedded.stop()
  }
}

async function show(command: string, url: string, place: NodeJS.ProcessEnv = {}): Promise<void> {
  const config = fileURLToPath(new URL('../prisma/prisma.config.ts', import.meta.url))
  // By the environment: arguments can be read by every user of the machine.
  const environment = { ...prismaEnvironment(process.env), DATABASE_URL: url, ...place }
  await once(spawn(process.execPath, [command, 'studio', '--config', config, ...process.argv.slice(2)], { stdio: 'inherit', env: environment }), 'exit')
}

// What `npm start` runs: the server itself, or as many server processes as WORKERS says, each started again when it ends.
import cluster from 'node:cluster'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'
import { isToRun } from './arguments.ts'
import { readConfigOver } from './config.ts'
import { type Log, openLog } from './platform/log.ts'
import { answerScrapes } from './platform/metrics/cluster.ts'
import { fail } from './process.ts'
import { supervised } from './supervised.ts'
import { createSupervisor } from './supervisor.ts'

const program = fileURLToPath(new URL('./server.ts', import.meta.url))

const usage = `Usage: npm run start
The server: one process, or as many as WORKERS says. Takes no options: the settings are in the environment and in .env.`

const start = async () => {
  const { workers, logLevel } = readSettings()
  if (workers === 1) {
    await import('./server.ts')
    return
  }
  cluster.setupPrimary({ exec: program })
  answerScrapes()
  const log = openLog(logLevel)
  const fork = () => {
    const { shutdownGraceSeconds: graceSeconds } = readSettings()
    return supervised(cluster.fork(), { graceSeconds, log })
  }
  const supervisor = createSupervisor({ size: workers, fork, log })
  obeySignals(supervisor, log)
  await supervisor.start()
  await supervisor.ended
  log.info({ pid: process.pid }, 'All server processes have ended.')
  process.exit(0)
}

const obeySignals = ({ stop, restart }: ReturnType<typeof createSupervisor>, log: Log) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      log.info({ pid: process.pid, signal }, 'All server processes are asked to stop.')
      stop().catch(fail)
    })
  process.on('SIGHUP', () => restart().catch(error => log.error({ err: error }, 'The restart was broken off; the processes that served go on.')))
}

// The file is read and not loaded: processes that are started later read it anew, and their grace is known here as they know it.
const readSettings = () => readConfigOver(existsSync('.env') ? parseEnv(readFileSync('.env', 'utf8')) : {})

if (isToRun(usage)) start().catch(fail)

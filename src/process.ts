// How a process of ours begins and ends: settings from a file beside it, one sentence for what is wrong, one stop.
import cluster from 'node:cluster'
import { existsSync } from 'node:fs'
import type { Log } from './platform/log.ts'

/** Loads `.env`, where there is one; the environment itself wins. */
export const loadEnvironmentFile = (): void => {
  if (existsSync('.env')) process.loadEnvFile('.env')
}

/**
 * Runs `stop` once at SIGTERM, SIGINT or SIGHUP, then exits with 0; the log is told of both. In a cluster SIGHUP is for the primary, which
 * replaces this process in its turn.
 */
export const stopOnSignal = (stop: () => Promise<void>, log: Pick<Log, 'info'>): void => {
  let isStopping = false
  const end = () => {
    log.info({ pid: process.pid }, 'The process has finished what was under way, and ends.')
    process.exit(0)
  }
  const onSignal = (signal: NodeJS.Signals) => {
    if (isStopping) return
    isStopping = true
    log.info({ pid: process.pid, signal }, 'The process was asked to stop: it takes nothing new, and finishes what is under way.')
    stop().then(end, fail)
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  process.on('SIGHUP', cluster.isWorker ? () => undefined : onSignal)
}

/** Tells what went wrong and exits with 1: a sentence for what the operator can act on, the whole error for a bug. */
export const fail = (error: unknown): never => {
  const isSentence = error instanceof Error && (error.name === 'ConfigError' || error.name === 'StartError')
  process.stderr.write(`${error instanceof Error ? (isSentence ? error.message : error.stack) : String(error)}\n`)
  return process.exit(1)
}

// How a process of ours begins and ends: settings from a file beside it, one sentence for what is wrong, one stop.
import { existsSync } from 'node:fs'

/** Loads `.env`, where there is one; the environment itself wins. */
export const loadEnvironmentFile = (): void => {
  if (existsSync('.env')) process.loadEnvFile('.env')
}

/** Runs `stop` once at SIGTERM or SIGINT, then exits with 0. */
export const stopOnSignal = (stop: () => Promise<void>): void => {
  let isStopping = false
  const onSignal = () => {
    if (isStopping) return
    isStopping = true
    stop().then(() => process.exit(0), fail)
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
}

/** Tells what went wrong and exits with 1: a sentence for what the operator can act on, the whole error for a bug. */
export const fail = (error: unknown): never => {
  const isSentence = error instanceof Error && (error.name === 'ConfigError' || error.name === 'StartError')
  process.stderr.write(`${error instanceof Error ? (isSentence ? error.message : error.stack) : String(error)}\n`)
  return process.exit(1)
}

// One process of the embedded database: begun, awaited, ended.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { EmbeddedSettings, Order, Report } from './embedded-messages.ts'
import { StartError } from './start-error.ts'

const startMillis = 120_000
const stopMillis = 10_000

/** Starts the process. */
export function spawnChild(settings: EmbeddedSettings): ChildProcess {
  const file = new URL('./embedded-process.ts', import.meta.url)
  // V8 compiles WebAssembly twice, quickly and well: the second takes as much work as some thousand statements.
  const execArgv = ['--disable-warning=ExperimentalWarning', ...(settings.isBrief ? ['--liftoff-only'] : [])]
  return fork(file, [JSON.stringify(settings)], { execArgv, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
}

/** Waits until the process serves. Throws a StartError `embedded_failed`, with no process left behind. */
export async function untilReady(child: ChildProcess): Promise<void> {
  const failure = await new Promise<string | undefined>(resolve => {
    const timer = setTimeout(() => resolve(`it did not answer within ${startMillis / 1000} seconds`), startMillis)
    const settle = (message?: string) => {
      clearTimeout(timer)
      resolve(message)
    }
    child.on('message', (report: Report) => {
      if (report.kind === 'ready') settle()
      if (report.kind === 'failed') settle(report.message)
    })
    child.once('error', error => settle(error.message))
    child.once('exit', (code, signal) => settle(`its process left with ${signal ?? `code ${code}`}`))
  })
  if (failure === undefined) return
  await endChild(child)
  throw new StartError('embedded_failed', `The embedded database could not be opened: ${failure}.`)
}

/** Asks the child to close the database and leave, and ends it when it does not. */
export async function endChild(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const left = once(child, 'exit')
  if (child.connected) child.send({ kind: 'stop' } satisfies Order, () => {})
  const timer = setTimeout(() => child.kill('SIGKILL'), stopMillis)
  await left
  clearTimeout(timer)
}

// Starts test/support/database-holder.ts and follows what it says.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A process that holds a data directory. */
export interface Holder {
  readonly process: ChildProcess
  readonly pid: number
  /** Everything said so far. */
  readonly lines: string[]
  /** Waits for a line that begins so. */
  said(beginning: string): Promise<string>
  /** Sends a signal to the process, or to it and its database process. */
  kill(signal: NodeJS.Signals, options?: { group: boolean }): void
  left(): Promise<void>
  /** Makes sure that it is gone, and its database process too. */
  end(): Promise<void>
}

/** Starts a holder in a process group of its own, as a terminal would. */
export function startHolder(dataDir: string, work = 'hold'): Holder {
  const file = fileURLToPath(new URL('./database-holder.ts', import.meta.url))
  const child = spawn(process.execPath, [file, dataDir, work], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
  const { pid } = child
  if (pid === undefined) throw new Error('the holder did not start')
  const lines: string[] = []
  const reader = createInterface({ input: child.stdout })
  reader.on('line', line => lines.push(line))
  let isClosed = false
  const closed = once(reader, 'close').then(() => {
    isClosed = true
  })
  const gone = once(child, 'exit').then(() => undefined)
  return {
    process: child,
    pid,
    lines,
    said: async beginning => {
      for (;;) {
        const found = lines.find(line => line.startsWith(beginning))
        if (found !== undefined) return found
        if (isClosed) throw new Error(`the holder left after saying: ${lines.join('; ')}`)
        await Promise.race([once(reader, 'line'), closed])
      }
    },
    kill: (signal, { group } = { group: false }) => process.kill(group ? -pid : pid, signal),
    left: () => gone,
    end: async () => {
      if (child.exitCode === null && child.signalCode === null) process.kill(-pid, 'SIGKILL')
      await gone
    },
  }
}

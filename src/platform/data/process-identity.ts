// Tells one process from another, even when its number is used again.
import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'

/** A process and when it began, in whatever unit the system gives. */
export interface ProcessIdentity {
  readonly pid: number
  readonly began: string
}

/** The identity of a living process, or `undefined` when none has this number. A stopped process lives; a zombie does not. */
export function findProcess(pid: number): ProcessIdentity | undefined {
  const began = process.platform === 'linux' ? beganOnLinux(pid) : beganElsewhere(pid)
  return began === undefined ? undefined : { pid, began }
}

/** Is exactly this process still there? */
export function isAlive({ pid, began }: ProcessIdentity): boolean {
  return findProcess(pid)?.began === began
}

/** What a process number is valid in: this boot of this machine, and within it this container. */
export function processWorld(): { boot: string; namespace: string } {
  if (process.platform !== 'linux') return { boot: '', namespace: '' }
  return { boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(), namespace: readlinkSync('/proc/self/ns/pid') }
}

function beganOnLinux(pid: number): string | undefined {
  const stat = readOrUndefined(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  if (stat === undefined) return undefined
  // proc(5): after the parenthesised name, field 3 is the state, field 22 the start time.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
}

function beganElsewhere(pid: number): string | undefined {
  const line = readOrUndefined(() => execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
  return line?.trim() || undefined
}

function readOrUndefined(read: () => string): string | undefined {
  try {
    return read()
  } catch {
    return undefined // gone, which is the answer
  }
}

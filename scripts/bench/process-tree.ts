// Reads what a process and its children have used, from /proc (Linux).
import { readdir, readFile } from 'node:fs/promises'

export interface Usage {
  /** CPU seconds of the process and all its children, ended ones too. */
  readonly treeSeconds: number
  /** CPU seconds of the process itself. */
  readonly ownSeconds: number
  /** Resident memory of the process and of its children together, in MB. */
  readonly ownMegabytes: number
  readonly childrenMegabytes: number
  /** The process first, then its children. */
  readonly pids: readonly number[]
}

// Linux tells times in ticks of 10 ms and memory in pages of 4 KiB on every platform that Node supports.
const ticksPerSecond = 100
const megabytesPerPage = 4096 / 1e6

interface Stat {
  readonly pid: number
  readonly parent: number
  readonly own: number
  readonly reaped: number
  readonly pages: number
}

/** What the process `pid` and its children have used so far. */
export async function readUsage(pid: number): Promise<Usage> {
  const stats = await readStats()
  const tree = descendants(pid, stats)
  const own = tree.find(stat => stat.pid === pid)
  if (!own) throw new Error(`process ${pid} has ended`)
  const pages = sum(tree, stat => stat.pages)
  return {
    treeSeconds: sum(tree, stat => stat.own + stat.reaped) / ticksPerSecond,
    ownSeconds: own.own / ticksPerSecond,
    ownMegabytes: own.pages * megabytesPerPage,
    childrenMegabytes: (pages - own.pages) * megabytesPerPage,
    pids: tree.map(stat => stat.pid),
  }
}

/** What the process `pid` holds in memory, in MB: all of it, its share of it, and what stands in no file. */
export async function readMemory(pid: number): Promise<{ resident: number; proportional: number; anonymous: number }> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
  const megabytes = (name: string) => (Number(text.match(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm'))?.[1] ?? Number.NaN) * 1024) / 1e6
  return { resident: megabytes('Rss'), proportional: megabytes('Pss'), anonymous: megabytes('Anonymous') }
}

function descendants(root: number, stats: readonly Stat[]): Stat[] {
  const found = stats.filter(stat => stat.pid === root)
  for (const parent of found) found.push(...stats.filter(stat => stat.parent === parent.pid))
  return found
}

async function readStats(): Promise<Stat[]> {
  const names = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  const stats = await Promise.all(names.map(readStat))
  return stats.filter(stat => stat !== undefined)
}

async function readStat(name: string): Promise<Stat | undefined> {
  const line = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => undefined) // ended meanwhile
  if (line === undefined) return undefined
  // proc(5): the name in parentheses may hold spaces; field 3 follows it
  const fields = line
    .slice(line.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  const field = (number: number) => fields[number - 3] ?? 0
  return { pid: Number(name), parent: field(4), own: field(14) + field(15), reaped: field(16) + field(17), pages: field(24) }
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0)
}

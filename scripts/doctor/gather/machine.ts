// Finds out about this machine: Node, limits, the disk, and who may read which file.
import { constants } from 'node:fs'
import { access, readFile, stat, statfs } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Environment, FileFacts, MachineFacts } from '../facts.ts'
import { settingsOf } from '../settings.ts'
import { gatherTls } from './tls.ts'

/** Looks, and changes nothing. */
export const gatherMachine = async (environment: Environment): Promise<MachineFacts> => {
  const { dataDir } = settingsOf(environment)
  const { TLS_KEY_FILE: key } = environment
  const kept = await Promise.all(['postgres', 'secret-key'].map(name => fileFacts(join(dataDir, name), constants.R_OK | constants.W_OK)))
  const made = kept.filter(one => one !== undefined)
  return {
    nodeVersion: process.versions.node,
    openFiles: await openFiles(),
    freeBytes: await freeBytes(resolve(dataDir)),
    // What is in it counts: a folder that is a volume's root is open, and what the server makes there is not.
    dataDir: made.length === 0 ? undefined : { mode: made.reduce((mode, one) => mode | one.mode, 0), isUsable: made.every(one => one.isUsable) },
    environmentFile: await fileFacts('.env', constants.R_OK),
    tlsKey: key ? ((await fileFacts(key, constants.R_OK)) ?? { mode: 0, isUsable: false }) : undefined,
    tls: await gatherTls(environment),
  }
}

const fileFacts = async (path: string, wanted: number): Promise<FileFacts | undefined> => {
  const found = await orAbsent(stat(path))
  if (found === undefined) return undefined
  return { mode: found.mode & 0o777, isUsable: (await orAbsent(access(path, wanted).then(() => true))) ?? false }
}

const openFiles = async (): Promise<number | undefined> => {
  const limits = await orAbsent(readFile('/proc/self/limits', 'utf8'))
  const [, soft] = /^Max open files\s+(\S+)/m.exec(limits ?? '') ?? []
  return soft === undefined ? undefined : soft === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(soft)
}

// A folder that is not there yet will be made on the disk of its parent.
const freeBytes = async (path: string): Promise<number | undefined> => {
  const disk = await orAbsent(statfs(path))
  if (disk) return disk.bavail * disk.bsize
  return dirname(path) === path ? undefined : freeBytes(dirname(path))
}

const orAbsent = async <Value>(asked: Promise<Value>): Promise<Value | undefined> => {
  try {
    return await asked
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined // not there, or not for us to see
    throw error
  }
}

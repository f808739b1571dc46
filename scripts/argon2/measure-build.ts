// Measures builds of argon2, each time in a process of its own: what was loaded once stays, and malloc reads its settings once.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { NotBuilt } from './build.ts'

export interface MeasuredBuild {
  readonly perCpuSecond: number
  /** A hash that it made. */
  readonly made: string
  /** Whether it finds the given hash to be of the same password. */
  readonly isSame: boolean
}

/** The folder of argon2 as it is installed. */
export const installedArgon2 = (): string => dirname(createRequire(import.meta.url).resolve('argon2/package.json'))

const script = fileURLToPath(new URL('measure.ts', import.meta.url))

/** Takes some seconds; the build in the folder may be a copy, which finds its own dependencies where the installed one has them. Throws {@link NotBuilt} when it does not run. */
export function measureBuild(
  folder: string,
  { hash, environment }: { hash?: string; environment: Readonly<Record<string, string | undefined>> },
): MeasuredBuild {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [script, folder, ...(hash ? [hash] : [])], {
    encoding: 'utf8',
    env: { ...environment, NODE_PATH: dirname(installedArgon2()) },
  })
  if (status !== 0) throw new NotBuilt(`The build in ${folder} does not run (${signal ?? status}):\n${stderr.slice(-1000)}`)
  return JSON.parse(stdout)
}

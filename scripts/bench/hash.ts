// Measures what hashing passwords alone would allow, one at a time, with the server's own parameters.
import { argon2Parameters } from '../../src/authentication/password.ts'
import { installedArgon2, measureBuild } from '../argon2/measure-build.ts'
import { asStarted } from './as-started.ts'

export interface HashLimit {
  readonly parameters: string
  /** Hashes a CPU second of argon2 in a process that nobody set anything for. */
  readonly plain: number
  /** The same with what servers are started with. */
  readonly asStarted: number
}

/** Takes some seconds. */
export function measureHash(): HashLimit {
  const measure = (environment: Readonly<Record<string, string>>) => measureBuild(installedArgon2(), { environment }).perCpuSecond
  const { memoryCost, timeCost, parallelism } = argon2Parameters
  return { parameters: `m=${memoryCost}, t=${timeCost}, p=${parallelism}`, plain: measure({}), asStarted: measure(asStarted) }
}

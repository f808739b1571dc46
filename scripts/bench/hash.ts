// Measures what hashing passwords alone would allow, one at a time, with the server's own parameters.
import { argon2Parameters } from '../../src/authentication/password.ts'
import { installedArgon2, measureBuild } from '../argon2/measure-build.ts'

/** Hashes a CPU second in a process with these settings and no others. Takes some seconds. */
export const measureHash = (environment: Readonly<Record<string, string>>): number => measureBuild(installedArgon2(), { environment }).perCpuSecond

const { memoryCost, timeCost, parallelism } = argon2Parameters

/** What a hash costs, for reading. */
export const hashCost = `m=${memoryCost}, t=${timeCost}, p=${parallelism}`

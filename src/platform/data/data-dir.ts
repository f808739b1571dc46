// The folder that the embedded database, its key and kept mail live in.
import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { messageOf } from './failures.ts'
import { StartError } from './start-error.ts'

/** Makes the data directory where there is none, for its owner alone. Throws a StartError `data_dir_unusable`. */
export const makeDataDir = (dataDir: string): void => {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new StartError('data_dir_unusable', `DATA_DIR cannot be ${resolve(dataDir)}: ${messageOf(cause)}.`, { cause })
  }
}

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A temporary folder that goes, with what is in it, when the process ends; gives its path. */
export const temporaryFolder = (name: string): string => {
  const path = mkdtempSync(join(tmpdir(), `authy2-${name}-`))
  process.once('exit', () => rmSync(path, { recursive: true, force: true }))
  return path
}

// Closes files to everybody but their owner.
import { chmodSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Makes all files below a PostgreSQL data directory 0600: those of PGlite's first start are 0666 whatever the umask. Later ones obey it. */
export function closeToOthers(directory: string): void {
  if ((statSync(join(directory, 'PG_VERSION')).mode & 0o077) === 0) return
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  // The file that is asked about comes last, so that an interrupted round is begun again.
  const paths = files
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort((path, other) => Number(path.endsWith('PG_VERSION')) - Number(other.endsWith('PG_VERSION')))
  for (const path of paths) chmodSync(path, 0o600)
}

// Keeps what came of rows, each in a file of its own so that one can be run again, with the sources that it was run on.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Row, RowResult } from './row.ts'

/** What came of a row, and what it is true of. */
export interface Kept {
  readonly result: RowResult
  readonly at: string
  readonly sources: string
  /** The commit that was checked out, where there is one. */
  readonly commit?: string | undefined
}

/** The results of one source tree. */
export interface Results {
  /** Forgets what came of a row before it is run again; answers what keeps what comes of it now. */
  begin(row: Pick<Row, 'name'>): (result: RowResult) => void
  /** What came of a row, if it was run on the sources as they are. */
  find(row: Pick<Row, 'name'>): Kept | undefined
}

// What a row runs; documentation and other tests are none of it.
const parts = ['src', 'views', 'prisma', 'package-lock.json', 'test/faults/plan', 'test/support']

/** Keeps them in a folder, which other trees may share. */
export function createResults({ root, folder }: { root: string; folder: string }): Results {
  const pathOf = (name: string) => join(folder, `${name}.json`)
  return {
    begin: ({ name }) => {
      rmSync(pathOf(name), { force: true })
      const ground = { sources: sourcesOf(root), commit: commitOf(root) }
      return result => {
        mkdirSync(folder, { recursive: true })
        writeFileSync(pathOf(name), JSON.stringify({ ...ground, at: new Date().toISOString(), result } satisfies Kept, undefined, 2))
      }
    },
    find: ({ name }) => {
      const kept: Kept | undefined = read(pathOf(name))
      return kept?.sources === sourcesOf(root) ? kept : undefined
    },
  }
}

/** A hash of all files that a row runs, by path and content. */
function sourcesOf(root: string): string {
  const hash = createHash('sha256')
  for (const part of parts)
    for (const path of filesOf(root, part))
      hash.update(`${path}\0`).update(
        createHash('sha256')
          .update(readFileSync(join(root, path)))
          .digest(),
      )
  return hash.digest('hex').slice(0, 16)
}

const filesOf = (root: string, part: string): string[] => {
  const stat = statSync(join(root, part), { throwIfNoEntry: false })
  if (!stat?.isDirectory()) return stat ? [part] : []
  const entries = readdirSync(join(root, part), { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  const paths = entries.map(({ parentPath, name }) => join(parentPath, name).slice(join(root, '/').length))
  // Made from prisma, which is looked at itself.
  return paths.filter(path => !path.includes('/generated/')).sort()
}

const commitOf = (root: string): string | undefined => {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty', '--exclude=*'], { cwd: root, encoding: 'utf8', stdio: 'pipe' }).trim()
  } catch {
    return undefined // there is no git, or nothing of its
  }
}

function read(path: string) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

// How much room the disk has left.
import { statfsSync } from 'node:fs'

/** Bytes that this process may still write on the disk of `path`. */
export function freeBytes(path: string): number {
  const disk = statfsSync(path)
  return disk.bavail * disk.bsize
}

/** "256 MiB". */
export function inMebibytes(bytes: number): string {
  return `${Math.floor(bytes / 1_048_576)} MiB`
}

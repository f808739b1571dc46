// Puts what was measured into a page of the documentation, between two comments that name it.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Replaces what stands between `<!-- name: begin -->` and `<!-- name: end -->` in `docs/page`. Throws where the marks are missing. */
export function putBetween(name: string, page: string, made: string): void {
  const path = fileURLToPath(new URL(`../docs/${page}`, import.meta.url))
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`]
  const text = readFileSync(path, 'utf8')
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${page} has no ${begin} … ${end}`)
  writeFileSync(path, `${text.slice(0, from + begin.length)}\n${made}\n${text.slice(to)}`)
}

// The languages that people are spoken to in: one catalogue a file, named by its BCP 47 tag.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Catalogue, createCatalogue, type Words } from './catalogue.ts'
import { lookUp } from './language-ranges.ts'

/** A language and its words. */
export interface Language extends Catalogue {
  /** BCP 47, such as `de`. */
  readonly tag: string
  /** What it calls itself. */
  readonly name: string
  readonly direction: 'ltr' | 'rtl'
}

/** All of them. */
export interface Languages {
  /** In the order of their own names. */
  readonly list: readonly Language[]
  readonly tags: readonly string[]
  /** The first language that a range means (RFC 4647 §3.4), such as `de` for `de-AT`; the default for none. */
  choose(ranges: readonly string[]): Language
  /** The language of one tag or range, such as a user's locale; the default for an unknown one. */
  in(tag: string | undefined): Language
}

const defaultTag = 'en'

/** Reads `<tag>.json` of a directory, once. Throws for a file that is no catalogue. */
export const createLanguages = ({ directory }: { directory: string }): Languages => {
  const read = (tag: string): Words => JSON.parse(readFileSync(join(directory, `${tag}.json`), 'utf8'))
  const english = toLanguage(defaultTag, createCatalogue(defaultTag, { words: read(defaultTag) }))
  const others = readdirSync(directory)
    .map(file => file.replace(/\.json$/, ''))
    .filter(tag => tag !== defaultTag)
    .map(tag => toLanguage(tag, createCatalogue(tag, { words: read(tag), fallback: english })))
  const list = [english, ...others].toSorted((a, b) => a.name.localeCompare(b.name, defaultTag))
  const tags = list.map(({ tag }) => tag)
  const byTag = new Map(list.map(language => [language.tag, language]))
  const choose = (ranges: readonly string[]) => byTag.get(lookUp(ranges, tags) ?? defaultTag) ?? english
  return { list, tags, choose, in: tag => byTag.get(tag ?? defaultTag) ?? choose([tag ?? defaultTag]) }
}

const toLanguage = (tag: string, catalogue: Catalogue): Language => ({
  ...catalogue,
  tag,
  name: catalogue.t('language.name'),
  direction: catalogue.t('language.direction') === 'rtl' ? 'rtl' : 'ltr',
})

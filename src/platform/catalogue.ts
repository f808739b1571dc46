// The words of one language: ICU messages by key, each compiled when it is first said.
import { IntlMessageFormat } from 'intl-messageformat'
import { escapeHtml, Markup } from './markup.ts'

/** Words by key; a key in a group is said with a point between: `identifier.heading`. */
export interface Words {
  readonly [key: string]: string | Words
}

/** What a message tells of. */
export type Values = Readonly<Record<string, string | number | Date | undefined>>

/** One language's messages. */
export interface Catalogue {
  /** Gives a message as text; one that is nowhere is given as its key between ⟦ and ⟧. */
  t(key: string, values?: Values): string
  /** Gives a message as text, if there is one. */
  find(key: string, values?: Values): string | undefined
  /**
   * Gives a message as HTML: everything is escaped, `<strong>` and `<unseen>` of the message become elements, and what
   * it tells of stands apart from the direction of the sentence.
   */
  rich(key: string, values?: Values): Markup
}

type Compiled = string | IntlMessageFormat

const elements = {
  strong: (chunks: readonly unknown[]) => wrap('<strong>', chunks, '</strong>'),
  unseen: (chunks: readonly unknown[]) => wrap('<span class="unseen">', chunks, '</span>'),
}

type Tags = string | string[] | undefined

// What formats is dear to make, and few are needed.
const remembered = <Given, Formatter>(make: (tags: Tags, options: Given) => Formatter) => {
  const known = new Map<string, Formatter>()
  return (tags: Tags, options: Given): Formatter => {
    const name = JSON.stringify([tags, options])
    const formatter = known.get(name) ?? make(tags, options)
    known.set(name, formatter)
    return formatter
  }
}

// Times are told in UTC, wherever the server stands.
const formatters = {
  getNumberFormat: remembered((tags, options?: Intl.NumberFormatOptions) => new Intl.NumberFormat(tags, options)),
  getDateTimeFormat: remembered((tags, options?: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(tags, { ...options, timeZone: 'UTC' })),
  getPluralRules: remembered((tags, options?: Intl.PluralRulesOptions) => new Intl.PluralRules(tags, options)),
}

/** Makes it; what is not said in this language is said in that of `fallback`. */
export const createCatalogue = (tag: string, { words, fallback }: { words: Words; fallback?: Catalogue | undefined }): Catalogue => {
  const sources = flatten(words)
  const compiled = new Map<string, Compiled>()
  const compile = (key: string): Compiled | undefined => {
    const known = compiled.get(key)
    const source = sources.get(key)
    if (known !== undefined || source === undefined) return known
    const message = new IntlMessageFormat(source, tag, undefined, { formatters })
    const made = plainTextOf(message) ?? message
    compiled.set(key, made)
    return made
  }
  const find = (key: string, values?: Values): string | undefined => {
    const message = compile(key)
    if (message === undefined) return fallback?.find(key, values)
    return typeof message === 'string' ? message : String(message.format(values))
  }
  return {
    find,
    t: (key, values) => find(key, values) ?? markMissing(key),
    rich: (key, values) => {
      const message = compile(key)
      if (message === undefined) return fallback?.rich(key, values) ?? new Markup(escapeHtml(markMissing(key)))
      return new Markup(typeof message === 'string' ? escapeHtml(message) : compose(message, values))
    },
  }
}

/** The messages of a catalogue by their whole keys. */
export const flatten = (words: Words, prefix = ''): Map<string, string> =>
  new Map(
    Object.entries(words).flatMap(([key, value]) => (typeof value === 'string' ? [[prefix + key, value] as const] : [...flatten(value, `${prefix}${key}.`)])),
  )

const markMissing = (key: string) => `⟦${key}⟧`

// A message without anything to fill in is its own result.
const plainTextOf = (message: IntlMessageFormat): string | undefined => {
  const parts = message.getAst()
  return parts.every(part => part.type === 0) ? parts.map(part => ('value' in part ? part.value : '')).join('') : undefined
}

const compose = (message: IntlMessageFormat, values: Values = {}): string => {
  const isolated = Object.entries(values).map(([name, value]) => [name, typeof value === 'string' ? new Isolated(value) : value])
  const parts = message.formatToParts<Markup>({ ...Object.fromEntries(isolated), ...elements })
  return parts.map(({ value }) => escapeHtml(value)).join('')
}

/** Shown, it stands apart from the direction of the sentence; a `select` finds its branch by the value as text. */
class Isolated extends Markup {
  readonly value: string

  constructor(value: string) {
    super(`<bdi>${escapeHtml(value)}</bdi>`)
    this.value = value
  }

  override toString(): string {
    return this.value
  }
}

const wrap = (start: string, inside: readonly unknown[], end: string) => new Markup(`${start}${inside.map(escapeHtml).join('')}${end}`)

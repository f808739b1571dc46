// What a change would change: the names of the fields that are given, as they are called here and as events tell them.

/** The names whose values are not `undefined`; none: there is nothing to change, and so nothing to tell of. */
export const namesOf = (changes: object): string[] => Object.entries(changes).flatMap(([name, value]) => (value === undefined ? [] : [name]))

/**
 * The same in the words of the API, each once: in snake_case, and what is or is not without its `is`. `words`: those for which the API has
 * others.
 */
export const toldNamesOf = <Changes extends object>(changes: Changes, words: { readonly [Name in keyof Changes]?: string } = {}): string[] => {
  const others = new Map<string, unknown>(Object.entries(words))
  return [...new Set(namesOf(changes).map(name => String(others.get(name) ?? inSnakeCase(name))))]
}

const inSnakeCase = (name: string) => name.replace(/^is(?=[A-Z])/, '').replace(/[A-Z]/g, (letter, at) => (at === 0 ? '' : '_') + letter.toLowerCase())

// Which languages somebody wishes for, and which of ours is meant (RFC 4647, RFC 9110 §12.5.4).

const maxLength = 1000
const maxRanges = 30
const range = /^[a-z]{1,8}(?:-[a-z0-9]{1,8})*$/i
const quality = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/i

/** The ranges of `ui_locales`, most wished first (OpenID Connect Core §3.1.2.1). */
export const askedRanges = (uiLocales: string | undefined): string[] => bounded(uiLocales, /\s+/)

/** The ranges of an `Accept-Language` header, most wished first; refused ones are left out. */
export const acceptedRanges = (header: string | undefined): string[] =>
  bounded(header, ',')
    .map(part => {
      const [name = '', weight] = part.split(';').map(piece => piece.trim())
      return { name, weight: weight === undefined ? 1 : Number(quality.exec(weight)?.[1] ?? 0) }
    })
    .filter(({ weight }) => weight > 0)
    .toSorted((a, b) => b.weight - a.weight)
    .map(({ name }) => name)

/** The first tag that a range means, each shortened from its end until one fits (RFC 4647 §3.4). */
export const lookUp = (ranges: readonly string[], tags: readonly string[]): string | undefined => {
  for (const wished of ranges) {
    if (wished.length > 100 || !range.test(wished)) continue
    for (let parts = wished.toLowerCase().split('-'); parts.length > 0; parts = parts.slice(0, parts.at(-2)?.length === 1 ? -2 : -1)) {
      const found = tags.find(tag => tag.toLowerCase() === parts.join('-'))
      if (found !== undefined) return found
    }
  }
  return undefined
}

const bounded = (text = '', separator: string | RegExp) => text.slice(0, maxLength).split(separator).slice(0, maxRanges)

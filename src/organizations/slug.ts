// Slugs: the short name of an organization, as addresses carry it.

/** What a slug may be: small letters and digits, single hyphens between them, up to 63. */
export const slugPattern = /^(?=.{1,63}$)[a-z0-9](-?[a-z0-9])*$/

const maxLength = 48

/** Makes a slug from a name; of a name without a letter of ours `organization`. */
export const slugOf = (name: string): string => {
  const words = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(Boolean)
  return words.join('-').slice(0, maxLength).replace(/-+$/, '') || 'organization'
}

// Slugs: the short name of an organization, as addresses carry it.

/** What a slug looks like: small letters and digits, single hyphens between them. */
export const slugPattern = /^[a-z0-9](-?[a-z0-9])*$/

/** The most characters of one that is made. */
export const maxSlug = 63

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

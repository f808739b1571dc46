// The bounds of clients that nobody vouches for: what they are called, and where they have people sent back to.
import { isHttps, isLoopback, isOurs, redirectUriFault } from './redirect-rules.ts'

/** How many characters a name has at the most. */
export const maxNameLength = 100
/** How many addresses one comes back to at the most. */
export const maxRedirectUris = 10
/** How many characters of JSON its metadata are at the most. */
export const maxMetadataLength = 8192

/** What is wrong with an address to come back to: it is https elsewhere, or http on the loopback (RFC 8252 §7.3), and not the issuer's own. */
export const returnFault = (uri: unknown, issuer: string): string | undefined => {
  if (typeof uri !== 'string') return 'must be text'
  if (isOurs(uri, issuer)) return 'must not be an address of this service'
  return redirectUriFault(uri) ?? (isHttps(uri) || isLoopback(uri) ? undefined : 'must be https, or http on the loopback')
}

// What people take for a letter of the Latin alphabet, or for another of them.
const alike: Readonly<Record<string, string>> = Object.fromEntries(
  [
    'aаα4ꓮ',
    'bвβ8ꓐ',
    'cсςꓚ',
    'dԁꓓ',
    'eеεё3ꓰ',
    'fꓝ',
    'gɡ9ꓖ',
    'hнһηꓧ',
    'iіι1lı!|ꓡꓲ',
    'jјꓙ',
    'kкκꓗ',
    'mмꓟ',
    'nոпꓠ',
    'oоο0ꓳ',
    'pрρꓑ',
    'qԛ',
    'rꓣ',
    'sѕ5$ꓢ',
    'tтτ7ꓔ',
    'uυцꓴ',
    'vνꓦ',
    'wԝωꓪ',
    'xхχꓫ',
    'yуγꓬ',
    'zζ2ꓜ',
  ].flatMap(([letter = '', ...others]) => others.map(other => [other, letter])),
)

/** What is left of a name for whoever looks at it in passing: two that look alike leave the same. */
export const likenessOf = (name: string): string =>
  [...name.normalize('NFKD').toLowerCase()]
    .map(character => alike[character] ?? character)
    .filter(character => /[\p{L}\p{N}]/u.test(character))
    .join('')

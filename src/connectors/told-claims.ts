// What an upstream provider tells of a person, made fit to keep: an address, a name, a picture, and the rest without tokens and bounded.
import { z } from 'zod'
import { normalizeEmail } from '../users/email.ts'
import type { UpstreamIdentity } from './connector.ts'

/** Claims of one document, as they were told. */
export type Told = Readonly<Record<string, unknown>>

/** What an identity is called: text of a provider that is stored and compared as it is. */
export const subjectSchema = z
  .string()
  .max(255)
  .refine(subject => subject.trim() !== '' && !/[\p{Cc}\p{Cs}]/u.test(subject), 'must be plain text')

/** The address of a document, in its canonical form; nothing where it is none. */
export const emailOf = (told: Told): string | undefined => (typeof told.email === 'string' ? normalizeEmail(told.email) : undefined)

/** Name and picture: the first document that has one counts. */
export const profileOf = (...documents: readonly Told[]): Pick<UpstreamIdentity, 'name' | 'picture'> => {
  const [name] = documents.flatMap(({ name: told }) => (isName(told) ? told.trim() : []))
  const [picture] = documents.flatMap(({ picture: told }) => pictureOf(told) ?? [])
  return { ...(name === undefined ? {} : { name }), ...(picture === undefined ? {} : { picture }) }
}

const isName = (told: unknown): told is string =>
  typeof told === 'string' && told.trim() !== '' && told.trim().length <= 200 && !/[\p{Cc}\p{Cs}]/u.test(told.trim())
// As a URL is written, whatever white space and control characters a parser of URLs passes over.
const pictureOf = (told: unknown): string | undefined => {
  const { href, protocol, username } = (typeof told === 'string' ? URL.parse(told) : null) ?? {}
  return protocol === 'https:' && username === '' && href !== undefined && href.length <= 2000 ? href : undefined
}

const maxBytes = 16 * 1024
const maxDepth = 8
// Of the token and of the moment rather than of the person; and what leads to claims elsewhere, with tokens for it (OpenID Connect Core §5.6.2).
const unkept = new Set(['aud', 'azp', 'exp', 'iat', 'nbf', 'jti', 'nonce', 'sid', 'at_hash', 'c_hash', 's_hash', '_claim_names', '_claim_sources'])
const isTokenName = (name: string) => /token|secret|password|assertion/i.test(name)
const isTokenText = (json: string) => /"eyJ[\w-]+\.[\w-]+\.[\w-]*/.test(json)

// No tokens; what is deep, or beyond 16 KiB of JSON, is left out.
const keptClaims = (told: Told): Record<string, unknown> => {
  const kept: [string, unknown][] = []
  let bytes = 2
  for (const [name, value] of Object.entries(told)) {
    if (unkept.has(name) || isTokenName(name) || value === undefined || !isShallow(value, maxDepth)) continue
    const json = JSON.stringify({ [name]: value })
    const size = Buffer.byteLength(json)
    if (isTokenText(json) || bytes + size > maxBytes) continue
    bytes += size
    kept.push([name, value])
  }
  return Object.fromEntries(kept)
}

/** What is kept of the documents, later ones over earlier ones, and all that they tell: which role somebody gets is not decided by what there was room for. */
export const claimsOf = (...documents: readonly Told[]): Pick<UpstreamIdentity, 'claims' | 'told'> => {
  const told: Told = Object.assign({}, ...documents)
  return { claims: keptClaims(told), told }
}

const isShallow = (value: unknown, depth: number): boolean =>
  typeof value !== 'object' || value === null || (depth > 0 && Object.values(value).every(one => isShallow(one, depth - 1)))

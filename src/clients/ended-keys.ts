// The keys that ended with an agent's access: it never has them again. Whoever sends what they read of it before, in the change that ends
// it or in a later one, brings no thief's key back; only keys that were made since do.
import { hash } from 'node:crypto'
import type { Prisma } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import { isObject } from '../platform/values.ts'
import type { ClientChanges } from './client.ts'
import { keysIn } from './key-rules.ts'

/** What is kept of an agent's keys. */
interface KeptKeys {
  readonly metadata: unknown
  /** Digests of those that ended. */
  readonly endedKeys: readonly string[]
}

/** The columns of an agent whose keys end, where it has any; it goes on to need some. */
export const toWithoutKeys = ({ metadata: kept, endedKeys }: KeptKeys): { metadata?: Prisma.InputJsonObject; endedKeys?: string[] } => {
  const { jwks, jwks_uri: jwksUri, ...metadata } = isObject(kept) ? kept : {}
  if (jwks === undefined && jwksUri === undefined) return {}
  return { metadata: JSON.parse(JSON.stringify({ ...metadata, jwks: { keys: [] } })), endedKeys: [...new Set([...endedKeys, ...digestsOf({ jwks, jwksUri })])] }
}

/** The changes without those of their keys that the agent had before: for the change that ends them. */
export const withNewKeysAlone = (changes: ClientChanges, { metadata: kept, endedKeys }: KeptKeys): ClientChanges => {
  const { jwks, jwks_uri: jwksUri, ...metadata } = changes.metadata ?? {}
  if (jwks === undefined && jwksUri === undefined) return changes
  const former = isObject(kept) ? kept : {}
  const ended = new Set([...endedKeys, ...digestsOf({ jwks: former.jwks, jwksUri: former.jwks_uri })])
  const keys = keysIn(jwks).filter(key => !ended.has(digestOf(key)))
  const isAddressNew = typeof jwksUri === 'string' && !ended.has(digestOfText(jwksUri))
  return { ...changes, metadata: { ...metadata, ...(isAddressNew ? { jwks_uri: jwksUri } : { jwks: { keys } }) } }
}

/** Throws `validation_failed` for keys that ended with the agent's access, or their address. */
export const mustBeNewKeys = ({ metadata }: ClientChanges, { endedKeys }: Pick<KeptKeys, 'endedKeys'>): void => {
  const ended = new Set(endedKeys)
  const fields = (['jwks', 'jwks_uri'] as const)
    .filter(name => digestsOf(name === 'jwks' ? { jwks: metadata?.jwks } : { jwksUri: metadata?.jwks_uri }).some(digest => ended.has(digest)))
    .map(name => ({ path: `metadata.${name}`, message: 'ended with the access of the agent: it needs another' }))
  if (fields.length > 0) throw new Problem('validation_failed', { fields })
}

const digestsOf = ({ jwks, jwksUri }: { readonly jwks?: unknown; readonly jwksUri?: unknown }): readonly string[] => [
  ...keysIn(jwks).map(digestOf),
  ...(typeof jwksUri === 'string' ? [digestOfText(jwksUri)] : []),
]

// RFC 7638 §3.2: what a public key is, whatever it is called and said to be for.
const digestOf = ({ kty, crv, x, y, n, e, pub }: Readonly<Record<string, unknown>>): string => digestOfText(JSON.stringify([kty, crv, x, y, n, e, pub]))

const digestOfText = (text: string) => hash('sha256', text, 'base64url')

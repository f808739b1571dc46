// Whose tokens a client may exchange, and for what (RFC 8693): in the API's words, off unless it is said.
import { z } from 'zod'
import { clientIdPattern } from './client-id.ts'
import { resourceIdentifier, scopePattern } from './resource-server.ts'

const scope = z.string().regex(scopePattern, 'must be a scope')
const clientId = z.string().regex(clientIdPattern, 'must be a client_id')

/** The policy of a client as its administrators write it; a field that is left out allows nothing. */
export const tokenExchangeBody = z.strictObject({
  /** Whose tokens it may present: its own alone, or its own and those of the named clients. */
  allowed_clients: z.union([z.literal('own'), z.array(clientId).max(100)]).default('own'),
  /** The resource servers that it may get tokens for, and the scopes that it may get there. */
  audiences: z
    .array(z.strictObject({ identifier: resourceIdentifier, scopes: z.array(scope).max(100) }))
    .max(50)
    .default([]),
  /** Whether it may get a token that names nobody who acts for the person. */
  may_impersonate: z.boolean().default(false),
  /** Whether it may get a token that names an actor (RFC 8693 §4.1). */
  may_delegate: z.boolean().default(false),
})

/** Whose tokens a client may exchange, and for what. */
export type TokenExchangePolicy = z.output<typeof tokenExchangeBody>

/** Reads what is kept; `{}`, and whatever this version would not take, is no policy at all. */
export const readTokenExchange = (kept: unknown): TokenExchangePolicy | undefined => {
  if (typeof kept !== 'object' || kept === null || Object.keys(kept).length === 0) return undefined
  return tokenExchangeBody.safeParse(kept).data
}

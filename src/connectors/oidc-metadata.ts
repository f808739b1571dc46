// What of a provider's documents is read and remembered: the members that are used, bounded, as anybody may be such a provider.
import { z } from 'zod'
import { createUpstreamFetch } from './upstream-answers.ts'

// The largest in use have 20 KB.
const maxBytes = 64 * 1024
const maxKeys = 20

const address = z.string().max(2048)
const names = z.array(z.string().max(100)).max(50).optional().catch(undefined)

// Whatever else it says is nothing that we, or the library, would do.
const metadataSchema = z.object({
  issuer: address,
  authorization_endpoint: address,
  token_endpoint: address,
  jwks_uri: address,
  userinfo_endpoint: address.optional(),
  response_types_supported: names,
  code_challenge_methods_supported: names,
  id_token_signing_alg_values_supported: names,
  token_endpoint_auth_methods_supported: names,
  authorization_response_iss_parameter_supported: z.boolean().optional(),
})

/** What a provider says of itself (OpenID Connect Discovery §3). */
export type OidcMetadata = z.output<typeof metadataSchema>

// Of 8192 bits at the most.
const number = z.string().max(1400).optional()
const keySchema = z.object({
  kty: z.enum(['RSA', 'EC', 'OKP']),
  kid: z.string().max(256).optional(),
  use: z.literal('sig').optional(),
  alg: z.string().max(20).optional(),
  crv: z.string().max(20).optional(),
  n: number,
  e: number,
  x: number,
  y: number,
  /** Microsoft's: whose tokens the key may sign. */
  issuer: address.optional(),
})
const keysSchema = z.object({ keys: z.array(z.unknown()) })

/** Makes a reader of what an issuer says of itself. */
export const createReadMetadata = (fetch: typeof globalThis.fetch) => {
  const asking = createUpstreamFetch(fetch, { maxBytes })
  return async (issuer: string): Promise<OidcMetadata> => {
    const answer = await asking(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, { headers: { accept: 'application/json' } })
    if (answer.status !== 200) throw new Error(`answered with status ${answer.status}`)
    return metadataSchema.parse(await answer.json())
  }
}

/** Makes a `fetch` whose documents are the first twenty keys that sign, and nothing else of them. */
export const createKeysFetch = (fetch: typeof globalThis.fetch): typeof globalThis.fetch => {
  const asking = createUpstreamFetch(fetch, { maxBytes })
  return async (input, init) => {
    const answer = await asking(input, init)
    if (answer.status !== 200) return new Response(null, { status: answer.status })
    const known = keysSchema.parse(await answer.json()).keys.flatMap(key => keySchema.safeParse(key).data ?? [])
    return Response.json({ keys: known.slice(0, maxKeys) })
  }
}

// Proof of the keys that presented tokens are bound to, and the key that what is issued will be bound to (RFC 9449, RFC 8705).
import { hash, X509Certificate } from 'node:crypto'
import type Provider from 'oidc-provider'
import { type Configuration, errors, type KoaContextWithOIDC } from 'oidc-provider'
import { checkDpopReplay, checkDpopRequired, checkMtlsCert, validateDpop } from 'oidc-provider/lib/helpers/grants.js'
import type { Presented } from './exchange.ts'

/** What was proven in a request. */
export interface Proven {
  readonly jkt?: string
  readonly certificate?: string | X509Certificate
}

interface Engine {
  readonly provider: Provider
  readonly configuration: Configuration
}

/**
 * Verifies it. Throws `invalid_request` where a presented token is bound to a key that was not proven (RFC 8693 §2.2.2), and what every
 * grant throws for a proof that is wrong, missing where the client must give one, or taken before.
 */
export const verifyProof = async (ctx: KoaContextWithOIDC, { provider, configuration }: Engine, presented: readonly Presented[]): Promise<Proven> => {
  const proof = await validateDpop(provider, ctx)
  checkDpopRequired(provider, ctx, proof)
  const certificate = checkMtlsCert(provider, ctx)
  const thumbprint = presented.some(({ token }) => token['x5t#S256']) ? thumbprintOf(configuration.features?.mTLS?.getCertificate?.(ctx)) : undefined
  for (const { token } of presented) {
    if (token.jkt !== undefined && token.jkt !== proof?.thumbprint) throw new errors.InvalidRequest('a token is bound to a key that was not proven')
    if (token['x5t#S256'] !== undefined && token['x5t#S256'] !== thumbprint)
      throw new errors.InvalidRequest('a token is bound to a certificate that was not presented')
  }
  await checkDpopReplay(provider, ctx, proof, ctx.oidc.client?.clientId ?? '')
  return { jkt: proof?.thumbprint, certificate }
}

const thumbprintOf = (certificate: string | X509Certificate | undefined): string | undefined => {
  if (certificate === undefined) return undefined
  const { raw } = certificate instanceof X509Certificate ? certificate : new X509Certificate(certificate)
  return hash('sha256', raw, 'base64url')
}

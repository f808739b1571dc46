// Client certificates (RFC 8705): where they come from, whom they stand for, and what of it discovery tells.
import type { X509Certificate } from 'node:crypto'
import type { Context } from 'koa'
import type { ClientAuthMethod, Configuration } from 'oidc-provider'
import { isNamed } from '../platform/http/certificate-names.ts'
import { paths } from './paths.ts'

type Feature = NonNullable<NonNullable<Configuration['features']>['mTLS']>

/** What the server knows of the certificates of its clients. */
export interface MutualTls {
  /** The certificate that the caller proved to hold. */
  readonly find: (ctx: Context) => X509Certificate | undefined
  /** Whether that certificate was issued by an authority that the operator trusts; absent: there is none. */
  readonly isTrusted?: (ctx: Context) => boolean
  /** The origin at which certificates are asked for, where it is another than the issuer's. */
  readonly origin?: string | undefined
}

/** How clients may authenticate by it: by an authority's certificate only where there is one. */
export const mutualTlsMethods = (mutualTls: MutualTls | undefined): ClientAuthMethod[] => {
  if (!mutualTls) return []
  return [...(mutualTls.isTrusted ? (['tls_client_auth'] as const) : []), 'self_signed_tls_client_auth']
}

/** The engine's feature. */
export const mutualTls = (mutualTls: MutualTls | undefined): Feature => {
  if (!mutualTls) return { enabled: false }
  const { find, isTrusted } = mutualTls
  return {
    enabled: true,
    certificateBoundAccessTokens: true,
    selfSignedTlsClientAuth: true,
    tlsClientAuth: isTrusted !== undefined,
    getCertificate: ctx => find(ctx),
    certificateAuthorized: ctx => isTrusted?.(ctx) ?? false,
    certificateSubjectMatches: (ctx, property, expected) => {
      const certificate = find(ctx)
      return certificate !== undefined && isNamed(certificate, { property, expected })
    },
  }
}

const aliased = {
  token_endpoint: paths.token,
  userinfo_endpoint: paths.userinfo,
  introspection_endpoint: paths.introspection,
  revocation_endpoint: paths.revocation,
  pushed_authorization_request_endpoint: paths.pushed_authorization_request,
  device_authorization_endpoint: paths.device_authorization,
  backchannel_authentication_endpoint: paths.backchannel_authentication,
}

/** The origin of the aliases with the paths that are answered there; nothing where there is none. */
export const aliasOf = (mutualTls: MutualTls | undefined) =>
  mutualTls?.origin === undefined ? undefined : { origin: mutualTls.origin, paths: new Set<string>(Object.values(aliased)) }

/** What discovery tells of the aliases (RFC 8705 §5). */
export const endpointAliases = (mutualTls: MutualTls | undefined) => {
  const origin = mutualTls?.origin
  if (origin === undefined) return {}
  return { mtls_endpoint_aliases: Object.fromEntries(Object.entries(aliased).map(([name, path]) => [name, `${origin}${path}`])) }
}

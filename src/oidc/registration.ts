// Dynamic client registration (RFC 7591, RFC 7592): who may, how often, and what clients that nobody vouches for may be.
import { type Configuration, errors, type KoaContextWithOIDC } from 'oidc-provider'
import { defaultApplicationType, registeredUriFault } from '../clients/redirect-rules.ts'
import type { IsReservedName } from '../clients/reserved-names.ts'
import { serverAddressFault } from '../clients/server-addresses.ts'
import { addressKey, type Limit, type MakeLimit, networkOf } from '../platform/http/limit.ts'
import { openPolicy, verifyUris } from './open-policy.ts'
import { limited } from './problems.ts'

type Features = NonNullable<Configuration['features']>

interface Needs {
  readonly clientRegistration: 'open' | 'token' | 'off'
  readonly isReservedName: IsReservedName
  readonly limit: MakeLimit
}

const durationSeconds = 3600

/** The engine's features for it. */
export const registrationFeatures = ({ clientRegistration, isReservedName, limit }: Needs): Pick<Features, 'registration' | 'registrationManagement'> => {
  if (clientRegistration === 'off') return {}
  const byAddress = limit('registration:address', { points: 10, durationSeconds })
  const byNetwork = limit('registration:network', { points: 40, durationSeconds })
  // Each change is kept in the audit log for good.
  const changes = {
    byAddress: limit('registration-change:address', { points: 60, durationSeconds }),
    byNetwork: limit('registration-change:network', { points: 240, durationSeconds }),
  }
  const openWithinBounds: typeof openPolicy = async (ctx, metadata) => {
    if (ctx.oidc.route === 'client_update') await takeTurn(ctx, changes)
    await openPolicy(ctx, metadata)
    if (isReservedName(String(metadata.client_name ?? ''))) throw new errors.InvalidClientMetadata('client_name must not be that of this service')
  }
  return {
    registration: {
      enabled: true,
      // Whoever brings none is let in by the door, where it is open.
      initialAccessToken: true,
      policies: { known: knownPolicy, open: openWithinBounds },
      // Asked before anything of the request is looked at.
      issueRegistrationAccessToken: async ctx => {
        leaveOutNulls(ctx.oidc.body)
        await admit(ctx, { byAddress, byNetwork })
        return true
      },
    },
    registrationManagement: { enabled: true, rotateRegistrationAccessToken: true },
  }
}

/** Whether a client is being registered by somebody without an initial access token; one that is changed keeps whose word it is. */
export const isOpen = (ctx: KoaContextWithOIDC | undefined): boolean => policiesOf(ctx?.oidc?.entities.InitialAccessToken).includes('open')

const admit = async (ctx: KoaContextWithOIDC, limits: { byAddress: Limit; byNetwork: Limit }) => {
  if (isOpen(ctx)) return takeTurn(ctx, limits)
  const token = ctx.oidc.entities.InitialAccessToken
  if (token) token.policies = [...new Set([...policiesOf(token), 'known'])]
}

const takeTurn = (ctx: KoaContextWithOIDC, { byAddress, byNetwork }: { byAddress: Limit; byNetwork: Limit }) =>
  limited(async () => {
    await byAddress.consume(addressKey(ctx.ip))
    await byNetwork.consume(networkOf(ctx.ip))
  })

// RFC 7592 §2.2: what is null is as if it was left out. The engine holds changes to that, and a registration not.
const leaveOutNulls = (metadata: Record<string, unknown> | undefined) => {
  for (const [name, value] of Object.entries(metadata ?? {})) if (value === null) Reflect.deleteProperty(metadata ?? {}, name)
}

// What an administrator may not write either; and RFC 8252 §7.3: what comes back to the loopback alone is an app on somebody's machine, whose port
// may be any.
const knownPolicy = async (_ctx: KoaContextWithOIDC, metadata: Record<string, unknown>) => {
  verifyUris('redirect_uris', metadata.redirect_uris, uri => registeredUriFault(uri, metadata.application_type))
  const fault = serverAddressFault(metadata)
  if (fault) throw new errors.InvalidClientMetadata(`${fault.path} ${fault.message}`)
  const { token_endpoint_auth_method: method, redirect_uris: redirectUris } = metadata
  if (metadata.application_type === undefined && defaultApplicationType({ method, redirectUris }) === 'native') metadata.application_type = 'native'
}

const policiesOf = (token: { policies?: string[] | undefined } | undefined): readonly string[] => token?.policies ?? []

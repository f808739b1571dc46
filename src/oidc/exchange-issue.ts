// Issues what a token is exchanged for: under a grant of its own, which dies with any of its ancestors.
import type Provider from 'oidc-provider'
import type { AccessToken, KoaContextWithOIDC } from 'oidc-provider'
import type { Actor, Issue, Presented } from './exchange.ts'
import type { Proven } from './exchange-proof.ts'
import { ceilingsOf, organizationsOf } from './exchange-rules.ts'
import { lifetimes } from './lifetimes.ts'

/** What decided an issue. */
export interface Decision extends Issue, Proven {
  readonly subject: Presented
  readonly actor?: Presented
  /** In seconds since 1970. */
  readonly now: number
  readonly resourceServer?: InstanceType<Provider['ResourceServer']>
}

/** Makes the token and keeps its grant. It lives no longer than what was presented. */
export const makeToken = async (provider: Provider, ctx: KoaContextWithOIDC, decision: Decision): Promise<AccessToken> => {
  const { subject, actor, now, target, scope, organizationId, resourceServer, jkt, certificate } = decision
  const { client } = ctx.oidc
  if (!client) throw new Error('an exchange has a client')
  const ttl = resourceServer?.accessTokenTTL ?? lifetimes.accessToken
  // The moment itself, not what is left until then: the clock goes on while the token is made.
  const exp = Math.min(now + ttl, ...[subject, actor].flatMap(presented => presented?.token.exp ?? []))
  const expiresIn = Math.max(1, exp - now)
  const accountId = subject.link.account ?? ''
  const grant = Object.assign(new provider.Grant({ accountId, clientId: client.clientId }), { exp, expiresIn })
  grant.organizationId = organizationId
  grant.exchange = {
    lineage: [
      { ...subject.link, organization: organizationId },
      ...(subject.grant?.exchange?.lineage ?? []),
      ...(actor ? [actor.link, ...(actor.grant?.exchange?.lineage ?? [])] : []),
    ],
    ceilings: ceilingsOf(subject),
    organizations: organizationsOf(subject),
  }
  if (target === undefined) {
    grant.addOIDCScope(scope)
    // What the person refused of a scope stays refused.
    grant.rejectOIDCClaims(subject.grant?.getRejectedOIDCClaims() ?? [])
  } else if (scope !== '') grant.addResourceScope(target, scope)
  const token = new provider.AccessToken({ accountId, client, exp, expiresIn, scope, gty: 'token_exchange', grantId: await grant.save() })
  if (resourceServer) token.resourceServer = resourceServer
  if (certificate !== undefined) token.setThumbprint('x5t', certificate)
  if (jkt !== undefined) token.setThumbprint('jkt', jkt)
  ctx.oidc.entity('Grant', grant)
  ctx.oidc.entity('AccessToken', token)
  return token
}

/** What the token says of how the person signed in, and of who acts for them: never more than what was presented said. */
export const claimsOf = ({ token }: Presented, act: Actor | undefined): Record<string, unknown> => {
  const { acr, auth_time, amr, may_act, act: before } = token.extra ?? {}
  const told = { acr, auth_time, amr, may_act, act: actAfter(before, act) }
  return Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined))
}

// RFC 8693 §4.1: those who acted before stand within; who acts on is not named twice.
const actAfter = (before: unknown, act: Actor | undefined): unknown => {
  if (act === undefined || before === undefined) return act ?? before
  const isSame = typeof before === 'object' && before !== null && 'sub' in before && before.sub === act.sub
  return isSame ? before : { ...act, act: before }
}

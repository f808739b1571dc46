// Spares userinfo three errors a request: the engine makes them before it knows whether one must be thrown, with two stack traces each, which is a sixth
// of what its answer costs. What is in order goes on here; whatever is not is left to the engine's own step, which says what is wrong. It looks for all
// itself: a token that is bound to a certificate, which it verifies, and one that is refused are looked for twice.
import type { KoaContextWithOIDC } from 'oidc-provider'
import steps from 'oidc-provider/lib/actions/userinfo.js'
import instance from 'oidc-provider/lib/helpers/weak_cache.js'
import { replaceStep, type Step } from './engine-steps.ts'

type IsInOrder = (ctx: KoaContextWithOIDC) => Promise<boolean>

const sparing: Readonly<Record<string, IsInOrder>> = {
  // A token that is bound to nothing, and comes without a proof.
  validateAccessToken: async ctx => {
    const { provider } = ctx.oidc
    const value = ctx.oidc.getAccessToken({ acceptDPoP: true })
    if (ctx.get('DPoP')) return false
    const token = await provider.AccessToken.find(value)
    if (!token?.scopes.has('openid') || token.jkt !== undefined || token['x5t#S256'] !== undefined) return false
    ctx.oidc.entity('AccessToken', token)
    return true
  },
  loadAccessTokenClient: async ({ oidc }) => {
    const client = await oidc.provider.Client.find(oidc.accessToken?.clientId ?? '')
    if (client) oidc.entity('Client', client)
    return client !== undefined
  },
  loadAccessTokenAccount: async ctx => {
    const { provider, accessToken } = ctx.oidc
    const account = await instance(provider).configuration.findAccount(ctx, accessToken?.accountId ?? '', accessToken)
    if (account) ctx.oidc.entity('Account', account)
    return account !== undefined
  },
}

const replaced = Object.entries(sparing).map(([name, isInOrder]) => {
  const theirs = steps.find(step => step.name === name)
  const ours: Step = async (ctx, next) => {
    if (await isInOrder(ctx)) await next()
    else await theirs?.(ctx, next)
  }
  return { theirs, ours: Object.defineProperty(ours, 'name', { value: name }) }
})

/** Puts our steps before the engine's. Call before an engine is made. */
export const spareErrors = (): void => {
  for (const { theirs, ours } of replaced) replaceStep(steps, theirs, ours)
}

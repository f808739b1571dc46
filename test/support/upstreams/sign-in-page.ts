// Where an upstream asks who somebody is: by a header at once, else by a form with one field, for browsers.
import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { readForm } from './form.ts'
import type { UpstreamPerson } from './upstream.ts'

/** Says who signs in, so that nothing is asked: an id of the upstream's people, or `nobody`, who says no. */
export const personHeader = 'x-upstream-person'

/** Makes the middleware. */
export const askWho = (provider: Provider, people: Map<string, UpstreamPerson>) => async (ctx: KoaContextWithOIDC, next: () => Promise<void>) => {
  if (!ctx.path.startsWith('/interaction/')) return next()
  const finish = async (result: Parameters<Provider['interactionResult']>[2]) => {
    ctx.status = 303
    ctx.set('location', await provider.interactionResult(ctx.req, ctx.res, result))
  }
  const named = ctx.get(personHeader)
  if (named === 'nobody') return finish({ error: 'access_denied', error_description: 'The person said no' })
  if (named) return finish({ login: { accountId: named } })
  if (ctx.method === 'GET') {
    ctx.type = 'html'
    ctx.body = '<!doctype html><title>Upstream</title><form method="post"><input name="username" aria-label="Address"><button>Sign in</button></form>'
    return
  }
  const email = (await readForm(ctx.req)).get('username') ?? ''
  people.set(email, { sub: email, claims: { email, email_verified: true, name: email.split('@')[0] }, ...people.get(email) })
  return finish({ login: { accountId: email } })
}

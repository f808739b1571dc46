// The baseline's sign-in: one form, checked with argon2id as the server does; consent is one button.
import argon2 from 'argon2'
import type { Context } from 'koa'
import { koaBody } from 'koa-body'
import type { InteractionResults, Provider } from 'oidc-provider'
import { z } from 'zod'
import { argon2Parameters } from '../../src/authentication/password.ts'
import { demoUsers } from './demo-data.ts'

const signInForm = z.object({ username: z.string(), password: z.string() })

/** Answers GET and POST of `/interaction/:uid`. */
export function createInteractionPages(provider: Provider): (ctx: Context) => Promise<void> {
  const readBody = koaBody({ multipart: false, json: false, text: false })
  const passwordHashes = new Map(demoUsers.map(({ username, password }) => [username as string, argon2.hash(password, argon2Parameters)]))

  const signIn = async (ctx: Context): Promise<InteractionResults> => {
    const { username, password } = signInForm.parse(ctx.request.body)
    const hash = await passwordHashes.get(username)
    return hash !== undefined && (await argon2.verify(hash, password)) ? { login: { accountId: username } } : { error: 'access_denied' }
  }

  return async ctx => {
    const { prompt, grantId, params, session } = await provider.interactionDetails(ctx.req, ctx.res)
    if (ctx.method === 'GET') {
      ctx.type = 'html'
      ctx.body = prompt.name === 'login' ? signInPage(ctx.path) : consentPage(ctx.path)
      return
    }
    await readBody(ctx, async () => {})
    const result = prompt.name === 'login' ? await signIn(ctx) : { consent: { grantId: grantId ?? (await grantAll(params, session?.accountId)) } }
    ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: true }))
    ctx.status = 303
  }

  async function grantAll(params: Readonly<Record<string, unknown>>, accountId: string | undefined): Promise<string> {
    const grant = new provider.Grant({ clientId: String(params.client_id), accountId: accountId ?? '' })
    grant.addOIDCScope(String(params.scope))
    return grant.save()
  }
}

const signInPage = (action: string): string =>
  `<!doctype html><form method="post" action="${action}"><input name="username"><input type="password" name="password"><button>Sign in</button></form>`

const consentPage = (action: string): string =>
  `<!doctype html><form method="post" action="${action}"><button name="decision" value="allow">Allow</button></form>`

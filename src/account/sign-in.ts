// How a person comes to the account centre: by an ordinary authorization request, whose session is all that is wanted of it.
import type { Context } from 'koa'
import { z } from 'zod'
import { ownPath } from '../platform/http/own-path.ts'
import { hashOf, isEqualSecret, type Secrets } from '../platform/secrets.ts'
import { accountCallbackPath, accountClientId } from './account-client.ts'

/** Sends people to sign in, and takes them back where they wanted to go. */
export interface AccountSignIn {
  /** Redirects to the authorization endpoint; with `maxAgeSeconds` an older sign-in is not enough, with `isAnother` none is. */
  begin(ctx: Context, wanted: { readonly to: string; readonly maxAgeSeconds?: number; readonly isAnother?: boolean }): void
  /** Where to go on, once the authorization came back; `undefined` where it did not begin in this browser or was refused. */
  finish(ctx: Context): string | undefined
}

interface Needs {
  readonly secrets: Secrets
  readonly issuer: string
  readonly isSecure: boolean
  readonly randomBytes: (size: number) => Buffer
  /** The classes, the most wanted first: whoever has a second factor, of whatever kind, proves it. */
  readonly acrValues: string
}

const cookieName = 'account_sign_in'
const minutes = 30
const begun = z.object({ state: z.string(), to: z.string() })
const query = z.object({ state: z.string(), code: z.string() })

/** Makes it. */
export const createAccountSignIn = ({ secrets, issuer, isSecure, randomBytes, acrValues }: Needs): AccountSignIn => {
  const options = { httpOnly: true, sameSite: 'lax', secure: isSecure, signed: false, overwrite: true, path: '/account' } as const
  return {
    begin: (ctx, { to, maxAgeSeconds, isAnother = false }) => {
      const state = randomBytes(16).toString('base64url')
      ctx.cookies.set(cookieName, secrets.seal('form', JSON.stringify({ state, to }), cookieName), { ...options, maxAge: minutes * 60_000 })
      const address = new URL('/oauth2/authorize', issuer)
      address.search = new URLSearchParams({
        client_id: accountClientId,
        response_type: 'code',
        scope: 'openid',
        redirect_uri: `${issuer}${accountCallbackPath}`,
        state,
        // The code is never redeemed: nobody keeps the verifier of this challenge.
        code_challenge: hashOf('account', randomBytes(32).toString('hex')).toString('base64url'),
        code_challenge_method: 'S256',
        // A wish: whoever has no second factor comes in by one.
        acr_values: acrValues,
        ...(isAnother ? { prompt: 'login' } : {}),
        ...(maxAgeSeconds === undefined ? {} : { max_age: String(maxAgeSeconds) }),
      }).toString()
      ctx.redirect(address.href)
      ctx.status = 303
    },
    finish: ctx => {
      const sealed = ctx.cookies.get(cookieName, { signed: false })
      ctx.cookies.set(cookieName, null, options)
      const answer = query.safeParse(ctx.query)
      const kept = opened(secrets, sealed)
      if (!answer.success || !kept || !isEqualSecret(Buffer.from(answer.data.state), Buffer.from(kept.state))) return undefined
      return ownPath(kept.to, issuer)
    },
  }
}

const opened = (secrets: Secrets, sealed: string | undefined) => {
  try {
    return sealed === undefined ? undefined : begun.parse(JSON.parse(secrets.unseal('form', sealed, cookieName)))
  } catch {
    return undefined // somebody changed their own cookie: they begin again
  }
}

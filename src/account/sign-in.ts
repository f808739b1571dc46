// How a person comes to the account centre: by an ordinary authorization request, whose session is all that is wanted of it.
import type { Context } from 'koa'
import { z } from 'zod'
import { ownPath } from '../platform/http/own-path.ts'
import { createSealedCookie } from '../platform/http/sealed-cookie.ts'
import { hashOf, type Secrets } from '../platform/secrets.ts'
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

// Each tab begins its own: a cookie for each, so that none takes the place of another. Those of tabs that nobody finishes are given up, the oldest first.
const cookieName = 'account_sign_in'
const mostBegun = 6
const ttlSeconds = 1800
const begunName = new RegExp(`(?<=^|; *)${cookieName}_([\\w-]{22})(?==)`, 'g')
const place = { path: '/account', binding: '' }
const query = z.object({ state: z.string().regex(/^[\w-]{22}$/), code: z.string().optional() })

/** Makes it. */
export const createAccountSignIn = ({ secrets, issuer, isSecure, randomBytes, acrValues }: Needs): AccountSignIn => {
  const cookieOf = (state: string) =>
    createSealedCookie({ name: `${cookieName}_${state}`, schema: z.object({ to: z.string() }), secrets, isSecure, ttlSeconds })
  return {
    begin: (ctx, { to, maxAgeSeconds, isAnother = false }) => {
      const state = randomBytes(16).toString('base64url')
      // Browsers send the oldest first (RFC 6265 §5.4).
      const begun = [...ctx.get('Cookie').matchAll(begunName)].map(([, other = '']) => other)
      for (const other of begun.slice(0, Math.max(0, begun.length + 1 - mostBegun))) cookieOf(other).clear(ctx, place)
      cookieOf(state).write(ctx, { to }, place)
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
      const { data } = query.safeParse(ctx.query)
      if (!data) return undefined
      const cookie = cookieOf(data.state)
      const begun = cookie.read(ctx, place)
      if (begun) cookie.clear(ctx, place)
      return begun && data.code !== undefined ? ownPath(begun.to, issuer) : undefined
    },
  }
}

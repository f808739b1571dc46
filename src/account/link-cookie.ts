// Keeps the secret of a mailed link in a cookie, so that it leaves the address bar, the history and the referrer at once.
import type { Context } from 'koa'
import type { Secrets } from '../platform/secrets.ts'

/** The secret of one kind of link. */
export interface LinkCookie {
  keep(ctx: Context, token: string): void
  read(ctx: Context): string | undefined
  forget(ctx: Context): void
}

interface Options {
  readonly secrets: Secrets
  readonly isSecure: boolean
  readonly path: string
  /** Without one it is named by its path. */
  readonly name?: string
}

/** Makes it for the pages under a path; it goes when the browser is closed. */
export const createLinkCookie = ({ secrets, isSecure, path, name = `link_${path.replaceAll('/', '_')}` }: Options): LinkCookie => {
  const options = { httpOnly: true, sameSite: 'lax', secure: isSecure, signed: false, overwrite: true, path } as const
  return {
    keep: (ctx, token) => {
      ctx.cookies.set(name, secrets.seal('form', token, name), options)
    },
    read: ctx => {
      const sealed = ctx.cookies.get(name, { signed: false })
      try {
        return sealed === undefined ? undefined : secrets.unseal('form', sealed, name)
      } catch {
        return undefined // somebody changed their own cookie
      }
    },
    forget: ctx => {
      ctx.cookies.set(name, null, options)
    },
  }
}

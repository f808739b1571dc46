// What was just done, which the page that comes next says: told in its address, with a proof that we wrote it there for this session and page. Any link
// could tell people of what never happened otherwise.
import type { Context } from 'koa'
import { isOneOf, type Secrets } from '../platform/secrets.ts'
import type { Visit } from './page.ts'

/** Says it and reads it; `key` is one under `account.done`. */
export interface Done {
  /** The page's address that says so. */
  addressOf(visit: Pick<Visit, 'sid'>, said: { readonly path: string; readonly key: string }): string
  /** What the page's address says; nothing, where we did not write it. */
  read(ctx: Context, visit: Pick<Visit, 'sid'>): string | undefined
}

const shape = /^([a-z_]{1,40})\.([\w-]{43})$/

/** Makes it. */
export const createDone = ({ secrets }: { readonly secrets: Secrets }): Done => {
  const bindingOf = ({ sid }: Pick<Visit, 'sid'>, { path, key }: { path: string; key: string }) => `done\0${sid}\0${path}\0${key}`
  return {
    addressOf: (visit, said) => `${said.path}?done=${said.key}.${secrets.digest('csrf', bindingOf(visit, said)).toString('base64url')}`,
    read: (ctx, visit) => {
      const [, key, proof] = (typeof ctx.query.done === 'string' && shape.exec(ctx.query.done)) || []
      if (key === undefined || proof === undefined) return undefined
      return isOneOf(secrets.digests('csrf', bindingOf(visit, { path: ctx.path, key })), Buffer.from(proof, 'base64url')) ? key : undefined
    },
  }
}

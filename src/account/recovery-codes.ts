// Recovery codes that were made just now: kept in the browser that asked for them, and shown there until they are saved.
import type { Context } from 'koa'
import { z } from 'zod'
import { createSealedCookie } from '../platform/http/sealed-cookie.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { text } from '../platform/http/text.ts'
import type { Secrets } from '../platform/secrets.ts'
import type { Done } from './done.ts'
import { accountPage } from './page.ts'
import { parsed } from './parsed.ts'

/** The codes that a browser has still to show. */
export interface CodesToShow {
  /** Keeps them for ten minutes and sends the browser to their page. */
  goShow(ctx: Context, shown: { readonly userId: string; readonly codes: readonly string[] }): void
  find(ctx: Context, userId: string): readonly string[] | undefined
  forget(ctx: Context, userId: string): void
}

interface Needs {
  readonly secrets: Secrets
  readonly isSecure: boolean
  readonly now: () => Date
}

/** The page of the codes, and that of the ways to sign in, to which it leads. */
export const [codesPath, securityPath] = ['/account/recovery-codes', '/account/security'] as const

const ttlSeconds = 600
const schema = z.object({ codes: z.array(z.string()), until: z.number() })

/** Makes it: a sealed cookie of that page, for one user. */
export const createCodesToShow = ({ secrets, isSecure, now }: Needs): CodesToShow => {
  const cookie = createSealedCookie({ name: 'recovery_codes', schema, secrets, isSecure, ttlSeconds })
  const placeOf = (userId: string) => ({ path: codesPath, binding: userId })
  return {
    goShow: (ctx, { userId, codes }) => {
      cookie.write(ctx, { codes: [...codes], until: now().getTime() + ttlSeconds * 1000 }, placeOf(userId))
      seeOther(ctx, codesPath)
    },
    find: (ctx, userId) => {
      const kept = cookie.read(ctx, placeOf(userId))
      return kept && kept.until > now().getTime() ? kept.codes : undefined
    },
    forget: (ctx, userId) => cookie.clear(ctx, placeOf(userId)),
  }
}

/** Makes the page. Whoever comes without codes to see goes back, told what was done where the address says it. */
export const createRecoveryCodesPage = ({ codesToShow, done }: { codesToShow: CodesToShow; done: Done }) =>
  accountPage({
    path: codesPath,
    view: 'account-recovery-codes',
    isSensitive: true,
    show: async (ctx, visit) => {
      const codes = codesToShow.find(ctx, visit.user.id)
      if (codes) return { codes }
      const key = done.read(ctx, visit)
      seeOther(ctx, key === undefined ? securityPath : done.addressOf(visit, { path: securityPath, key }))
      return undefined
    },
    submit: async (ctx, { user }, form) => {
      parsed(z.strictObject({ saved: text(10).min(1).prefault('') }), form)
      codesToShow.forget(ctx, user.id)
      return { done: 'codes_saved', at: securityPath }
    },
  })

// The language of a page: the client's wish, then the person's own choice, then what their browser accepts, then the organization's.
import type { Context } from 'koa'
import { pageContextOf } from '../platform/http/page-context.ts'
import { acceptedRanges, askedRanges } from '../platform/language-ranges.ts'
import type { Language, Languages } from '../platform/languages.ts'

/** Knows the language of each request, and remembers a choice. */
export interface PageLanguage {
  of(ctx: Context): Language
  /** Remembers the choice that was made on the page at `path`: there it comes before the client's wish. */
  remember(ctx: Context, choice: { readonly tag: string; readonly path: string }): void
  /** Forgets the choice: what the browser accepts counts again. */
  forget(ctx: Context): void
}

const yearMilliseconds = 365 * 86_400_000
const wellFormed = /^([a-zA-Z0-9-]{1,35})(?:@([\w/.-]{1,200}))?$/

/** Makes it. */
export const createPageLanguage = ({ languages, isSecure }: { languages: Languages; isSecure: boolean }): PageLanguage => {
  const cookie = isSecure ? '__Host-language' : 'language'
  const options = { httpOnly: true, sameSite: 'lax', secure: isSecure, signed: false, overwrite: true, path: '/' } as const
  return {
    of: ctx => {
      const [, chosen = '', place] = wellFormed.exec(ctx.cookies.get(cookie, { signed: false }) ?? '') ?? []
      const { uiLocales, defaultLanguage = '' } = pageContextOf(ctx)
      const asked = askedRanges(uiLocales)
      const wishes = place === placeOf(ctx.path) ? [chosen, ...asked] : [...asked, chosen]
      return languages.choose([...wishes, ...acceptedRanges(ctx.get('Accept-Language')), defaultLanguage])
    },
    remember: (ctx, { tag, path }) => {
      const place = placeOf(path)
      const value = wellFormed.test(`${tag}@${place}`) ? `${tag}@${place}` : tag
      ctx.cookies.set(cookie, value, { ...options, maxAge: yearMilliseconds })
    },
    forget: ctx => {
      ctx.cookies.set(cookie, null, options)
    },
  }
}

// The pages of one interaction are one place, and so are those of a forgotten password.
const placeOf = (path: string): string => /^\/(?:interaction|oauth2\/authorize)\/([\w-]+)/.exec(path)?.[1] ?? /^\/recovery(?=\/)/.exec(path)?.[0] ?? path

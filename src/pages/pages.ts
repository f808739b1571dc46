/** Renders the hosted pages, type-checked: `pages.render('password', { … })`. */

import { type Branding, styleTokens } from '../platform/branding.ts'
import type { Assets } from '../platform/http/assets.ts'
import { createViews } from '../platform/http/views.ts'
import type { Languages } from '../platform/languages.ts'
import { accountLocalNames } from './account-locals.ts'
import { consentLocalNames } from './consent-page-locals.ts'
import { engineLocalNames } from './engine-page-locals.ts'
import type { FormProblem, PageLocals, PageName } from './page-locals.ts'
import { problemWords } from './problem-words.ts'
import { proofLocalNames } from './proof-page-locals.ts'

/** What every page needs beside its own locals. */
export interface CommonLocals {
  /** The language of the page as a BCP 47 tag. */
  readonly lang: string
  /** The address of the page on this server, to come back to in another language; without one no other is offered. */
  readonly here?: string
  /** The nonce of this response's Content-Security-Policy. */
  readonly nonce: string
  readonly branding: Branding
  readonly requestId: string
  /** Makes it a picture, without scripts and dead to the touch; its addresses are of `base`, its policy stands in itself. */
  readonly picture?: { readonly base: string; readonly policy: string }
}

export interface Pages {
  /** Gives the HTML of a page. */
  render<View extends PageName>(view: View, locals: PageLocals[View] & CommonLocals): string
}

export interface PagesOptions {
  /** Where the views are. */
  readonly directory: string
  readonly isCached: boolean
  readonly assets: Pick<Assets, 'url'>
  readonly languages: Languages
}

/** Makes the renderer of the hosted pages. */
export function createPages({ directory, isCached, assets, languages }: PagesOptions): Pages {
  const views = createViews({ directory, isCached, locals: allowedLocals(), layout: 'layout' })
  const offered = languages.list.map(({ tag, name }) => ({ tag, name }))
  const urls = {
    css: assets.url('authy2.css'),
    js: assets.url('page.js'),
    icon: assets.url('favicon.svg'),
    passkey: assets.url('passkey.js'),
    passkeyEnrol: assets.url('passkey-enrol.js'),
  }

  return {
    render(view, locals) {
      const language = languages.in(locals.lang)
      const { t, find, rich } = language
      const { error, fieldErrors } = problemWords(language, problemOf(locals))
      const title = t(`title.${view}`)
      // The error page says in its title already what it is.
      const step = error && view !== 'error' ? t('title.with_error', { title }) : title
      return views.render(view, {
        ...locals,
        lang: language.tag,
        dir: language.direction,
        languages: offered,
        t,
        find,
        rich,
        error,
        fieldErrors,
        title: `${step} · ${locals.branding.name}`,
        tokens: styleTokens(locals.branding),
        assets: urls,
      })
    },
  }
}

const problemOf = ({ problem }: CommonLocals & FormProblem) => problem

type LocalNames = { readonly [View in PageName]: Readonly<Record<keyof Required<PageLocals[View]>, true>> }

const PROBLEM = { problem: true } as const

/** The names of each page's locals; the compiler holds them equal to the types. */
const LOCAL_NAMES: LocalNames = {
  identifier: {
    ...PROBLEM,
    changeUrl: true,
    action: true,
    csrf: true,
    username: true,
    client: true,
    connections: true,
    connectionAction: true,
    passwordUrl: true,
    emailCodeAction: true,
    emailCodeCsrf: true,
    passkey: true,
    signUpUrl: true,
    cancelAction: true,
  },
  password: {
    ...PROBLEM,
    action: true,
    csrf: true,
    username: true,
    changeUrl: true,
    client: true,
    forgotUrl: true,
    emailCodeAction: true,
    canRemember: true,
    remember: true,
    cancelAction: true,
    cancelCsrf: true,
  },
  'second-factor': {
    ...PROBLEM,
    action: true,
    csrf: true,
    factor: true,
    account: true,
    switchUrl: true,
    client: true,
    passkey: true,
    ways: true,
    cancelAction: true,
    cancelCsrf: true,
  },
  'enrol-totp': { ...PROBLEM, action: true, csrf: true, account: true, client: true, secret: true, uri: true, qr: true, cancelAction: true, cancelCsrf: true },
  'recovery-codes': { ...PROBLEM, action: true, csrf: true, kept: true, codes: true },
  ...engineLocalNames,
  error: { ...PROBLEM, kind: true, detail: true, client: true, homeUrl: true },
  'post-on': { connection: true, action: true, fields: true, isAutomatic: true },
  expired: { startUrl: true },
  'not-found': { homeUrl: true },
  gallery: { gallery: true },
  ...accountLocalNames,
  ...consentLocalNames,
  ...proofLocalNames,
}

const COMMON_NAMES = [
  'lang',
  'dir',
  'languages',
  'here',
  't',
  'find',
  'rich',
  'error',
  'fieldErrors',
  'nonce',
  'branding',
  'requestId',
  'picture',
  'title',
  'tokens',
  'assets',
]

function allowedLocals(): Record<string, string[]> {
  const names = Object.entries(LOCAL_NAMES).map(([view, locals]) => [view, [...COMMON_NAMES, ...Object.keys(locals)]])
  return Object.fromEntries(names)
}

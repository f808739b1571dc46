/** Renders the hosted pages, type-checked: `pages.render('password', { … })`. */
import type { Assets } from '../platform/http/assets.ts'
import { createViews } from '../platform/http/views.ts'
import { type Branding, styleTokens } from './branding.ts'
import type { FormProblem, PageLocals, PageName } from './page-locals.ts'

/** What every page needs beside its own locals. */
export interface CommonLocals {
  /** The language of the page as a BCP 47 tag, and its direction. */
  readonly lang: string
  readonly dir: 'ltr' | 'rtl'
  /** The nonce of this response's Content-Security-Policy. */
  readonly nonce: string
  readonly branding: Branding
  readonly requestId: string
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
}

/** Makes the renderer of the hosted pages. */
export function createPages({ directory, isCached, assets }: PagesOptions): Pages {
  const views = createViews({ directory, isCached, locals: allowedLocals(), layout: 'layout' })
  const urls = {
    css: assets.url('authy2.css'),
    js: assets.url('page.js'),
    icon: assets.url('favicon.svg'),
  }

  return {
    render(view, locals) {
      const { error, fieldErrors } = problemOf(locals)
      const step = error ? `Error: ${TITLES[view]}` : TITLES[view]
      return views.render(view, {
        ...locals,
        error,
        fieldErrors,
        title: `${step} · ${locals.branding.name}`,
        tokens: styleTokens(locals.branding),
        assets: urls,
      })
    },
  }
}

function problemOf({ error, fieldErrors = {} }: CommonLocals & FormProblem) {
  const hasFieldErrors = Object.keys(fieldErrors).length > 0
  return { error: error ?? (hasFieldErrors ? 'Check what you entered and try again.' : undefined), fieldErrors }
}

/** What the browser's tab says, before the name of the product. */
const TITLES: Readonly<Record<PageName, string>> = {
  identifier: 'Sign in',
  password: 'Enter your password',
  'second-factor': 'Confirm it is you',
  'enrol-totp': 'Set up your authenticator app',
  'recovery-codes': 'Save your recovery codes',
  consent: 'Allow access',
  'device-code': 'Connect a device',
  'device-confirm': 'Confirm your device',
  'device-done': 'Device connected',
  logout: 'Sign out',
  'signed-out': 'Signed out',
  error: 'Something went wrong',
  expired: 'Sign-in expired',
  'not-found': 'Page not found',
  gallery: 'Gallery',
}

type LocalNames = { readonly [View in PageName]: Readonly<Record<keyof Required<PageLocals[View]>, true>> }

const PROBLEM = { error: true, fieldErrors: true } as const

/** The names of each page's locals; the compiler holds them equal to the types. */
const LOCAL_NAMES: LocalNames = {
  identifier: { ...PROBLEM, action: true, csrf: true, username: true, client: true, connections: true, connectionAction: true, cancelAction: true },
  password: {
    ...PROBLEM,
    action: true,
    csrf: true,
    username: true,
    changeUrl: true,
    client: true,
    forgotUrl: true,
    canRemember: true,
    remember: true,
    cancelAction: true,
  },
  'second-factor': {
    ...PROBLEM,
    action: true,
    csrf: true,
    factor: true,
    account: true,
    switchUrl: true,
    client: true,
    ways: true,
    cancelAction: true,
  },
  'enrol-totp': { ...PROBLEM, action: true, csrf: true, account: true, client: true, secret: true, uri: true, qr: true, cancelAction: true },
  'recovery-codes': { ...PROBLEM, action: true, csrf: true, kept: true, codes: true },
  consent: { ...PROBLEM, action: true, csrf: true, switchAction: true, client: true, account: true, scopes: true, resources: true, offline: true },
  'device-code': { ...PROBLEM, action: true, xsrf: true, userCode: true },
  'device-confirm': { ...PROBLEM, action: true, xsrf: true, userCode: true, client: true, device: true },
  'device-done': { client: true },
  logout: { action: true, xsrf: true, isAutomatic: true, client: true },
  'signed-out': { isStillSignedIn: true, client: true, returnUrl: true },
  error: { heading: true, message: true, detail: true, client: true, homeUrl: true },
  expired: { startUrl: true },
  'not-found': { homeUrl: true },
  gallery: { gallery: true },
}

const COMMON_NAMES = ['lang', 'dir', 'nonce', 'branding', 'requestId', 'title', 'tokens', 'assets']

function allowedLocals(): Record<string, string[]> {
  const names = Object.entries(LOCAL_NAMES).map(([view, locals]) => [view, [...COMMON_NAMES, ...Object.keys(locals)]])
  return Object.fromEntries(names)
}

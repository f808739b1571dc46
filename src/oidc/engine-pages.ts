// The pages that the engine itself shows: errors, signing out, and connecting a device.
import type { Client, Configuration, KoaContextWithOIDC } from 'oidc-provider'
import { errors } from 'oidc-provider'
import { Problem } from '../platform/errors.ts'
import { notePageContext } from '../platform/http/page-context.ts'

/** A client as pages tell of it. */
export interface ClientOnPage {
  readonly name: string
  readonly logoUrl?: string
  readonly origin?: string
  readonly policyUrl?: string
  readonly termsUrl?: string
}

/** What there are words for. */
export type ErrorKind = 'invalid_client' | 'invalid_redirect_uri' | 'invalid_request' | 'access_denied' | 'temporarily_unavailable' | 'server_error'

/** How the engine's moments are shown; the hosted pages give these. */
export interface ShowPages {
  error(ctx: KoaContextWithOIDC, page: { kind: ErrorKind; detail: string; client?: ClientOnPage }): void
  expired(ctx: KoaContextWithOIDC, page: { startUrl?: string }): void
  logout(ctx: KoaContextWithOIDC, page: { action: string; xsrf: string; client?: ClientOnPage; isAutomatic: boolean }): void
  signedOut(ctx: KoaContextWithOIDC, page: { client?: ClientOnPage; returnUrl?: string; isStillSignedIn: boolean }): void
  deviceCode(ctx: KoaContextWithOIDC, page: { action: string; xsrf: string; userCode?: string; problem?: Problem }): void
  deviceConfirm(
    ctx: KoaContextWithOIDC,
    page: { action: string; xsrf: string; userCode: string; client: ClientOnPage; device: { ip?: string; userAgent?: string } },
  ): void
  deviceDone(ctx: KoaContextWithOIDC, page: { client?: ClientOnPage }): void
}

type Features = NonNullable<Configuration['features']>

/** The engine's hooks for its pages. */
export interface EnginePages {
  readonly error: NonNullable<Configuration['renderError']>
  readonly logout: Pick<NonNullable<Features['rpInitiatedLogout']>, 'logoutSource' | 'postLogoutSuccessSource'>
  readonly device: Pick<NonNullable<Features['deviceFlow']>, 'userCodeInputSource' | 'userCodeConfirmSource' | 'successSource'>
}

/** Makes the hooks. */
export const createEnginePages = (show: ShowPages): EnginePages => ({
  error: (ctx, out, error) => {
    if (error instanceof errors.SessionNotFound) return show.expired(heard(ctx), { startUrl: startUrlOf(ctx.oidc.client) })
    show.error(heard(ctx), { kind: kindOf(out.error), detail: [out.error, out.error_description].filter(Boolean).join(': '), client: toPage(ctx.oidc.client) })
  },
  logout: {
    logoutSource: ctx =>
      show.logout(heard(ctx), {
        action: ctx.oidc.urlFor('end_session_confirm'),
        xsrf: secretOf(ctx),
        client: toPage(ctx.oidc.client),
        isAutomatic: isOwnHint(ctx),
      }),
    // The same page follows «Stay signed in»: it says what is so.
    postLogoutSuccessSource: async ctx =>
      show.signedOut(heard(ctx), {
        isStillSignedIn: (await ctx.oidc.provider.Session.get(ctx)).accountId !== undefined,
        client: toPage(ctx.oidc.client),
        returnUrl: startUrlOf(ctx.oidc.client),
      }),
  },
  device: {
    userCodeInputSource: (ctx, _form, out, error) => {
      const action = ctx.oidc.urlFor('code_verification')
      if (error && isWithoutSession(ctx)) return show.expired(heard(ctx), { startUrl: action })
      show.deviceCode(heard(ctx), { action, xsrf: secretOf(ctx), userCode: userCodeOf(error), problem: deviceFault(out, error) })
    },
    userCodeConfirmSource: (ctx, _form, client, device, userCode) =>
      show.deviceConfirm(heard(ctx), {
        action: ctx.oidc.urlFor('code_verification'),
        xsrf: secretOf(ctx),
        userCode,
        client: toPage(client) ?? { name: client.clientId },
        device: { ip: textOf(device.ip), userAgent: textOf(device.ua) },
      }),
    successSource: ctx => show.deviceDone(heard(ctx), { client: toPage(ctx.oidc.client) }),
  },
})

/** A client in a page's words. */
export const toPage = (client: Client | undefined, redirectUri?: unknown): ClientOnPage | undefined =>
  client && {
    name: client.clientName || client.clientId,
    logoUrl: client.logoUri,
    policyUrl: client.policyUri,
    termsUrl: client.tosUri,
    origin: typeof redirectUri === 'string' && URL.canParse(redirectUri) ? new URL(redirectUri).host || undefined : undefined,
  }

const startUrlOf = (client: Client | undefined): string | undefined => client?.initiateLoginUri ?? client?.clientUri

const secretOf = (ctx: KoaContextWithOIDC): string => textOf(ctx.oidc.session?.state?.secret) ?? ''

// A form posted without a session cannot be shown again: its secret would be kept nowhere. The engine marks the session as
// changed nevertheless, and fails to save what was never kept.
const isWithoutSession = ({ oidc: { session } }: KoaContextWithOIDC): boolean => {
  if (session === undefined || session.exp !== undefined) return false
  Reflect.set(session, 'touched', false)
  return true
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

// The client that proves it knows who is signed in may sign them out without a question (RP-Initiated Logout §2). Few ID tokens
// have a `sid`; without one the user must be the same. A pairwise subject is nobody's id: that person is asked.
const isOwnHint = ({ oidc: { entities, client, session } }: KoaContextWithOIDC): boolean => {
  const hint = entities.IdTokenHint?.payload
  const authorization = session?.authorizations?.[client?.clientId ?? '']
  if (!hint || !authorization) return false
  return hint.sid === undefined ? hint.sub === session?.accountId : hint.sid === authorization.sid
}

const userCodeOf = (error: unknown): string | undefined => (error instanceof Error && 'userCode' in error ? textOf(error.userCode) : undefined)

const deviceFault = (out: unknown, error: unknown): Problem | undefined => {
  if (!out && !error) return undefined
  const name = error instanceof Error ? error.name : ''
  const [code, message] = userCodeFaults[name] ?? (['unknown', 'is not valid or has expired'] as const)
  return new Problem('validation_failed', { fields: [{ path: 'user_code', code, message }] })
}

const userCodeFaults: Readonly<Record<string, readonly [code: string, message: string]>> = {
  AbortedError: ['cancelled', 'was cancelled'],
  NoCodeError: ['required', 'is missing'],
}

const kindOf = (code: string): ErrorKind => {
  switch (code) {
    case 'invalid_client':
    case 'invalid_redirect_uri':
    case 'temporarily_unavailable':
    case 'access_denied':
    case 'server_error':
      return code
    default:
      return 'invalid_request'
  }
}

/** Notes for the page what the engine read of the request. */
export const heard = <Ctx extends KoaContextWithOIDC>(ctx: Ctx): Ctx => {
  notePageContext(ctx, { uiLocales: textOf(ctx.oidc?.params?.ui_locales) })
  return ctx
}

// The pages that the engine itself shows: errors, signing out, and connecting a device.
import type { Client, Configuration, KoaContextWithOIDC } from 'oidc-provider'
import { errors } from 'oidc-provider'

/** A client as pages tell of it. */
export interface ClientOnPage {
  readonly name: string
  readonly logoUrl?: string
  readonly origin?: string
  readonly policyUrl?: string
  readonly termsUrl?: string
}

/** How the engine's moments are shown; the hosted pages give these. */
export interface ShowPages {
  error(ctx: KoaContextWithOIDC, page: { heading: string; message: string; detail: string; client?: ClientOnPage }): void
  expired(ctx: KoaContextWithOIDC, page: { startUrl?: string }): void
  logout(ctx: KoaContextWithOIDC, page: { action: string; xsrf: string; client?: ClientOnPage; isAutomatic: boolean }): void
  signedOut(ctx: KoaContextWithOIDC, page: { client?: ClientOnPage; returnUrl?: string; isStillSignedIn: boolean }): void
  deviceCode(ctx: KoaContextWithOIDC, page: { action: string; xsrf: string; userCode?: string; error?: string }): void
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
    if (error instanceof errors.SessionNotFound) return show.expired(ctx, { startUrl: startUrlOf(ctx.oidc.client) })
    const [heading, message] = wordsOf(out.error)
    show.error(ctx, { heading, message, detail: [out.error, out.error_description].filter(Boolean).join(': '), client: toPage(ctx.oidc.client) })
  },
  logout: {
    logoutSource: ctx =>
      show.logout(ctx, { action: ctx.oidc.urlFor('end_session_confirm'), xsrf: secretOf(ctx), client: toPage(ctx.oidc.client), isAutomatic: isOwnHint(ctx) }),
    // The same page follows «Stay signed in»: it says what is so.
    postLogoutSuccessSource: async ctx =>
      show.signedOut(ctx, {
        isStillSignedIn: (await ctx.oidc.provider.Session.get(ctx)).accountId !== undefined,
        client: toPage(ctx.oidc.client),
        returnUrl: startUrlOf(ctx.oidc.client),
      }),
  },
  device: {
    userCodeInputSource: (ctx, _form, out, error) => {
      const action = ctx.oidc.urlFor('code_verification')
      if (error && isWithoutSession(ctx)) return show.expired(ctx, { startUrl: action })
      show.deviceCode(ctx, { action, xsrf: secretOf(ctx), userCode: userCodeOf(error), error: deviceFault(out, error) })
    },
    userCodeConfirmSource: (ctx, _form, client, device, userCode) =>
      show.deviceConfirm(ctx, {
        action: ctx.oidc.urlFor('code_verification'),
        xsrf: secretOf(ctx),
        userCode,
        client: toPage(client) ?? { name: client.clientId },
        device: { ip: textOf(device.ip), userAgent: textOf(device.ua) },
      }),
    successSource: ctx => show.deviceDone(ctx, { client: toPage(ctx.oidc.client) }),
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

const deviceFault = (out: unknown, error: unknown): string | undefined => {
  if (!out && !error) return undefined
  const name = error instanceof Error ? error.name : ''
  if (name === 'AbortedError') return 'The sign-in was cancelled. You can close this page.'
  if (name === 'NoCodeError') return 'Enter the code that your device shows.'
  return 'That code is not valid or has expired. Check it and try again.'
}

const wordsOf = (code: string): readonly [string, string] => {
  switch (code) {
    case 'invalid_client':
      return [
        'We don’t know this application',
        'The application that sent you here is not registered, or is switched off. Go back to it and try again, or tell its support.',
      ]
    case 'invalid_redirect_uri':
      return ['This link can’t be trusted', 'The application asked to send you to an address that it has not registered. You were not signed in.']
    case 'temporarily_unavailable':
      return ['We’ll be right back', 'Sign-in is unavailable for a moment. Please try again.']
    case 'access_denied':
      return ['Access was not given', 'You can go back to the application.']
    case 'server_error':
      return ['Something went wrong', 'That is our fault, not yours. Please try again.']
    default:
      return [
        'This sign-in request is not valid',
        'The application that sent you here made a mistake in its request. Go back to it and try again, or tell its support.',
      ]
  }
}

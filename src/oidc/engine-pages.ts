// The pages that the engine itself shows: errors, signing out, and connecting a device.
import type { Client, Configuration, KoaContextWithOIDC } from 'oidc-provider'
import { errors } from 'oidc-provider'
import type { FindAgentOwners } from '../clients/agent-owner.ts'
import type { ErrorKind } from '../pages/page-locals.ts'
import { Problem } from '../platform/errors.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { isBuiltIn, namesOf } from './client-source.ts'
import { isStale } from './form-secret.ts'
import type { Hear } from './hear.ts'

/** A client as pages tell of it. */
export interface ClientOnPage {
  readonly name: string
  readonly logoUrl?: string
  readonly origin?: string
  readonly policyUrl?: string
  readonly termsUrl?: string
  /** What a client of a verified host calls itself, which is not verified. */
  readonly claimedName?: string
  /** Whose agent it is: a person's address, or an organization's name. */
  readonly agentOf?: string | undefined
  /** `false`: nobody vouches for it. */
  readonly verified?: boolean
}

/** How the engine's moments are shown; the hosted pages give these. */
export interface ShowPages {
  error(ctx: KoaContextWithOIDC, page: { kind: ErrorKind; detail: string; client?: ClientOnPage }): void
  expired(ctx: KoaContextWithOIDC, page: { startUrl?: string }): void
  logout(ctx: KoaContextWithOIDC, page: { action: string; xsrf: string; client?: ClientOnPage; isAutomatic: boolean; problem?: Problem }): void
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

interface Needs {
  readonly show: ShowPages
  readonly hear: Hear
  readonly findAgentOwners: FindAgentOwners
}

/** Makes the hooks. */
export const createEnginePages = ({ show, hear, findAgentOwners }: Needs): EnginePages => ({
  error: async (ctx, out, error) => {
    await hear(ctx, requestOf(ctx))
    if (error instanceof errors.SessionNotFound) return show.expired(ctx, { startUrl: startUrlOf(ctx.oidc.client) })
    if (ctx.oidc?.route === 'end_session_confirm' && isStale(ctx)) return askAgain(ctx, show)
    showError(ctx, show, out)
  },
  logout: {
    logoutSource: async ctx => {
      await hear(ctx, requestOf(ctx))
      show.logout(ctx, { action: ctx.oidc.urlFor('end_session_confirm'), xsrf: secretOf(ctx), client: toPage(ctx.oidc.client), isAutomatic: isOwnHint(ctx) })
    },
    // The same page follows «Stay signed in»: it says what is so.
    postLogoutSuccessSource: async ctx => {
      await hear(ctx, requestOf(ctx))
      show.signedOut(ctx, {
        isStillSignedIn: (await ctx.oidc.provider.Session.get(ctx)).accountId !== undefined,
        client: toPage(ctx.oidc.client),
        returnUrl: startUrlOf(ctx.oidc.client),
      })
    },
  },
  device: deviceHooks({ show, hear, findAgentOwners }),
})

// A form of signing out that another tab outdated is followed by what is to be said by now: that nobody is signed in, or the question anew.
const askAgain = async (ctx: KoaContextWithOIDC, show: ShowPages): Promise<void> => {
  const { session, params, provider } = ctx.oidc
  const isAnswered = session?.accountId === undefined || (session.state === undefined && !params?.logout)
  if (isAnswered) return seeOther(ctx, ctx.oidc.urlFor('end_session_success'))
  if (session.state === undefined) return seeOther(ctx, ctx.oidc.urlFor('end_session'))
  const client = toPage(await provider.Client.find(textOf(session.state.clientId) ?? ''))
  show.logout(ctx, { action: ctx.oidc.urlFor('end_session_confirm'), xsrf: secretOf(ctx), client, isAutomatic: false, problem: new Problem('csrf_mismatch') })
}

const deviceHooks = ({ show, hear, findAgentOwners }: Needs): EnginePages['device'] => ({
  userCodeInputSource: async (ctx, _form, out, error) => {
    await hear(ctx, requestOf(ctx))
    const action = ctx.oidc.urlFor('code_verification')
    if (error && (isWithoutSession(ctx) || error instanceof errors.SessionNotFound)) return show.expired(ctx, { startUrl: action })
    const isOld = isStale(ctx)
    const problem = isOld ? new Problem('csrf_mismatch') : deviceFault(error)
    if (out && !problem) return showError(ctx, show, out)
    show.deviceCode(ctx, { action, xsrf: secretOf(ctx), userCode: isOld ? typedCode(ctx) : (userCodeOf(error) ?? typedCodeOf(ctx, error)), problem })
  },
  userCodeConfirmSource: async (ctx, _form, client, device, userCode) => {
    await hear(ctx, { ...requestOf(ctx), clientId: client.clientId })
    show.deviceConfirm(ctx, {
      action: ctx.oidc.urlFor('code_verification'),
      xsrf: secretOf(ctx),
      userCode,
      client: { ...(toPage(client) ?? { name: client.clientId }), agentOf: (await findAgentOwners([client.clientId])).get(client.clientId) },
      device: { ip: textOf(device.ip), userAgent: textOf(device.ua) },
    })
  },
  successSource: async ctx => {
    await hear(ctx, requestOf(ctx))
    show.deviceDone(ctx, { client: toPage(ctx.oidc.client) })
  },
})

/** What a page needs of the engine's request. */
export const requestOf = ({ oidc }: KoaContextWithOIDC) => ({ clientId: oidc?.client?.clientId, uiLocales: oidc?.params?.ui_locales })

/** A client in a page's words; of what is built in a page speaks as of the product. */
export const toPage = (client: Client | undefined, redirectUri?: unknown): ClientOnPage | undefined => {
  if (!client || isBuiltIn(client)) return undefined
  const names = namesOf(client)
  const origin = typeof redirectUri === 'string' && URL.canParse(redirectUri) ? new URL(redirectUri).host : ''
  return { ...names, policyUrl: client.policyUri, termsUrl: client.tosUri, origin: origin === '' || origin === names.name ? undefined : origin }
}

/** Where a client begins a sign-in, as it says. */
export const startUrlOf = (client: Client | undefined): string | undefined => client?.initiateLoginUri ?? client?.clientUri

const secretOf = (ctx: KoaContextWithOIDC): string => textOf(ctx.oidc.session?.state?.secret) ?? ''

// A form posted without a session cannot be shown again: its secret would be kept nowhere. The engine marks the session as
// changed nevertheless, and fails to save what was never kept.
const isWithoutSession = ({ oidc: { session } }: KoaContextWithOIDC): boolean => {
  if (session === undefined || session.exp !== undefined) return false
  Reflect.set(session, 'touched', false)
  return true
}

/** A text that is not empty. */
export const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

// The client that proves it knows who is signed in may sign them out without a question (RP-Initiated Logout §2). Few ID tokens
// have a `sid`; without one the user must be the same. A pairwise subject is nobody's id: that person is asked.
const isOwnHint = ({ oidc: { entities, client, session } }: KoaContextWithOIDC): boolean => {
  const hint = entities.IdTokenHint?.payload
  const authorization = session?.authorizations?.[client?.clientId ?? '']
  if (!hint || !authorization) return false
  return hint.sid === undefined ? hint.sub === session?.accountId : hint.sid === authorization.sid
}

const userCodeOf = (error: unknown): string | undefined => (error instanceof Error && 'userCode' in error ? textOf(error.userCode) : undefined)

const typedCode = ({ oidc }: KoaContextWithOIDC) => textOf(oidc.params?.user_code)

// A code that was given up is not sent again.
const typedCodeOf = (ctx: KoaContextWithOIDC, error: unknown): string | undefined =>
  error instanceof Error && userCodeFaults[error.name] !== cancelled ? typedCode(ctx) : undefined

const deviceFault = (error: unknown): Problem | undefined => {
  const [code, message] = userCodeFaults[error instanceof Error ? error.name : ''] ?? []
  return code === undefined ? undefined : new Problem('validation_failed', { fields: [{ path: 'user_code', code, message: message ?? '' }] })
}

const unknownCode = ['unknown', 'is not valid or has expired'] as const
const cancelled = ['cancelled', 'was cancelled'] as const
const userCodeFaults: Readonly<Record<string, readonly [code: string, message: string]>> = {
  AbortedError: cancelled,
  AccessDenied: cancelled,
  UnmetAuthenticationRequirements: cancelled,
  NoCodeError: ['required', 'is missing'],
  NotFoundError: unknownCode,
  ExpiredError: unknownCode,
  AlreadyUsedError: unknownCode,
  InvalidClient: unknownCode,
}

const showError = (ctx: KoaContextWithOIDC, show: ShowPages, out: { error: string; error_description?: string | undefined }): void =>
  show.error(ctx, { kind: kindOf(out.error, ctx), detail: [out.error, out.error_description].filter(Boolean).join(': '), client: toPage(ctx.oidc.client) })

const signingOut = new Set(['end_session', 'end_session_success'])
// What our own forms post: no application had a part in it.
const ownForms = new Set(['end_session_confirm', 'code_verification'])

const kindOf = (code: string, { oidc, status }: KoaContextWithOIDC): ErrorKind => {
  if (signingOut.has(oidc?.route) && status < 500) return 'invalid_sign_out'
  if (ownForms.has(oidc?.route) && status < 500) return 'refused'
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

// What the engine's answer still needs: its refusal's name, when to come again, what was too large, the one successor of a rotated token, no
// stand-in secret of a registered client; and a page where no answer can be made.
import type { IncomingMessage } from 'node:http'
import type { Context } from 'koa'
import { errors, type KoaContextWithOIDC } from 'oidc-provider'
import { Incoming } from '../platform/http/incoming.ts'
import type { Users } from '../users/users.ts'
import { type ContinueWords, dressContinuePage, isContinuePage, type Switching, withoutScript } from './continue-page.ts'
import { type EnginePages, requestOf } from './engine-pages.ts'
import type { Hear } from './hear.ts'
import type { RefreshTokens } from './refresh-tokens.ts'
import type { Refusals } from './refusals.ts'

const comeAgainSeconds = '5'

/** What the finishing needs. */
export interface FinishingNeeds {
  readonly refreshTokens: Pick<RefreshTokens, 'successorFor'>
  readonly refusals: Refusals
  readonly pages: EnginePages
  /** The address of the pages' stylesheet. */
  readonly stylesheet: string
  readonly continueWords: (ctx: Context, switching?: Switching) => ContinueWords
  readonly users: Pick<Users, 'find'>
  readonly hear: Hear
}

/** Makes the middleware that stands around the engine. */
export const finishing =
  ({ refreshTokens, refusals, pages, stylesheet, continueWords, users, hear }: FinishingNeeds) =>
  async (ctx: KoaContextWithOIDC, next: () => Promise<unknown>) => {
    await next().catch((error: unknown) => tellPerson(ctx, { error, pages }))
    refusals.rename(ctx)
    // RFC 6749 §5.1: caches of HTTP/1.0 know no other word.
    if (ctx.oidc?.route === 'token') ctx.set('Pragma', 'no-cache')
    // Who knows better has said it.
    if (ctx.status === 503 && !ctx.response.get('Retry-After')) ctx.set('Retry-After', comeAgainSeconds)
    if (isContinuePage(ctx.body)) {
      await hear(ctx, requestOf(ctx))
      const switching = await findSwitching(ctx, users)
      ctx.body = dressContinuePage(switching ? withoutScript(ctx.body) : ctx.body, { words: continueWords(ctx, switching), stylesheet })
    }
    if (ctx.status === 400 && isTooLarge(ctx.req)) {
      ctx.status = 413
      ctx.set('Connection', 'close')
    }
    const body: unknown = ctx.body
    if (typeof body !== 'object' || body === null || !ctx.oidc) return
    const successor = 'refresh_token' in body ? refreshTokens.successorFor(ctx) : undefined
    if (successor !== undefined) Object.assign(body, { refresh_token: successor })
    // A secret is told once: when it is made, which an update does where the client had none (RFC 7592 §2.2).
    const isMade = ctx.oidc.route === 'client_update' && !ctx.oidc.client?.clientSecret
    if (ctx.oidc.route === 'client' || (ctx.oidc.route === 'client_update' && !isMade)) Reflect.deleteProperty(body, 'client_secret')
  }

// The engine tells a client all that went wrong but that the answer itself cannot be made, as where it is to be encrypted (JARM §2.2) and there is no key.
const tellPerson = async (ctx: KoaContextWithOIDC, { error, pages }: { error: unknown } & Pick<FinishingNeeds, 'pages'>) => {
  if (!(error instanceof errors.OIDCProviderError)) throw error
  ctx.status = error.statusCode
  await pages.error(ctx, { error: error.error, error_description: error.error_description }, error)
}

// Somebody signed in who is not whose session this browser has: the engine ends that one first.
const findSwitching = async ({ oidc }: KoaContextWithOIDC, users: Pick<Users, 'find'>): Promise<Switching | undefined> => {
  const [current, next] = [oidc?.session?.accountId, oidc?.entities.Interaction?.result?.login?.accountId]
  if (current === undefined || next === undefined || current === next) return undefined
  const [from, to] = await Promise.all([users.find(current), users.find(next)])
  return { current: from?.email ?? current, next: to?.email ?? next }
}

const readBytes = 56 * 1024

// The engine reads no more than that and calls the body malformed, whether it said its length or not.
const isTooLarge = (request: IncomingMessage) =>
  Number(request.headers['content-length'] ?? 0) > readBytes || (request instanceof Incoming && request.bytesReceived > readBytes)

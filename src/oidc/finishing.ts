// What the engine's answer still needs: its refusal's name, when to come again, what was too large, the one successor of a rotated token, and no
// stand-in secret of a registered client.
import type { IncomingMessage } from 'node:http'
import type { Context } from 'koa'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { Incoming } from '../platform/http/incoming.ts'
import { type ContinueWords, dressContinuePage, isContinuePage } from './continue-page.ts'
import { requestOf } from './engine-pages.ts'
import type { Hear } from './hear.ts'
import type { RefreshTokens } from './refresh-tokens.ts'
import type { Refusals } from './refusals.ts'

const comeAgainSeconds = '5'

/** What the finishing needs. */
export interface FinishingNeeds {
  readonly refreshTokens: Pick<RefreshTokens, 'successorFor'>
  readonly refusals: Refusals
  /** The address of the pages' stylesheet. */
  readonly stylesheet: string
  readonly continueWords: (ctx: Context) => ContinueWords
  readonly hear: Hear
}

/** Makes the middleware that stands around the engine. */
export const finishing =
  ({ refreshTokens, refusals, stylesheet, continueWords, hear }: FinishingNeeds) =>
  async (ctx: KoaContextWithOIDC, next: () => Promise<unknown>) => {
    await next()
    refusals.rename(ctx)
    // Who knows better has said it.
    if (ctx.status === 503 && !ctx.response.get('Retry-After')) ctx.set('Retry-After', comeAgainSeconds)
    if (isContinuePage(ctx.body)) {
      await hear(ctx, requestOf(ctx))
      ctx.body = dressContinuePage(ctx.body, { words: continueWords(ctx), stylesheet })
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

const readBytes = 56 * 1024

// The engine reads no more than that and calls the body malformed, whether it said its length or not.
const isTooLarge = (request: IncomingMessage) =>
  Number(request.headers['content-length'] ?? 0) > readBytes || (request instanceof Incoming && request.bytesReceived > readBytes)

// The words of this slice: a session, and what is told of it.
import type { Context } from 'koa'
import { z } from 'zod'
import { event } from '../platform/data/change.ts'

/** How long a session of the API lives: unused, and at most. */
export const apiSessionLifetimes = { idleSeconds: 86_400, absoluteSeconds: 1_209_600 }

/** What a session token begins with, so that one is recognized where it does not belong. */
export const sessionTokenPrefix = 'authy2s_'

/** Where a person is signed in. */
export interface Session {
  readonly id: string
  /** By what the caller's own session is known. */
  readonly sid: string
  readonly userId: string
  readonly kind: string
  readonly ip?: string
  readonly userAgent?: string
  readonly amr: readonly string[]
  readonly createdAt: Date
  readonly lastSeenAt: Date
  readonly expiresAt: Date
}

/** The session of the hosted pages in the browser that asks. */
export interface BrowserSession {
  readonly sid: string
  readonly userId: string
  readonly authenticatedAt: Date
  readonly amr: readonly string[]
}

/** Finds it by its signed cookie, whatever page asks. */
export type FindBrowserSession = (ctx: Context) => Promise<BrowserSession | undefined>

/** A session as the API tells of one. */
export const sessionOutput = z.object({
  id: z.uuid(),
  kind: z.enum(['browser', 'api']),
  ip: z.string().nullable(),
  user_agent: z.string().nullable(),
  amr: z.array(z.string()),
  current: z.boolean(),
  created_at: z.iso.datetime(),
  last_seen_at: z.iso.datetime(),
  expires_at: z.iso.datetime(),
})

/** Turns a session into what {@link sessionOutput} lets through. */
export const toSessionOutput = (session: Session, currentSid?: string): z.input<typeof sessionOutput> => ({
  id: session.id,
  kind: session.kind === 'api' ? 'api' : 'browser',
  ip: session.ip ?? null,
  user_agent: session.userAgent ?? null,
  amr: [...session.amr],
  current: session.sid === currentSid,
  created_at: session.createdAt.toISOString(),
  last_seen_at: session.lastSeenAt.toISOString(),
  expires_at: session.expiresAt.toISOString(),
})

/** The events of this slice. */
export const sessionEvents = {
  'session.started': event('session', { kind: z.string(), user_id: z.string() }),
  'session.proven': event('session', { kind: z.string(), user_id: z.string() }),
  'session.ended': event('session', { kind: z.string(), user_id: z.string() }),
}

// Who is asking, as every change needs to know it.

/** Made at the entrance, first argument of every change. */
export interface Actor {
  readonly kind: 'anonymous' | 'user' | 'client' | 'system'
  readonly id?: string
  readonly permissions: ReadonlySet<string>
  readonly organizationId?: string
  readonly requestId?: string
  readonly ip?: string
  readonly userAgent?: string
}

/** The server itself: start-up, scripts and jobs. */
export const systemActor: Actor = { kind: 'system', permissions: new Set() }

// The identifier that was typed, kept from one page of an interaction to the next: in a sealed cookie, never in an address.
import type { Context } from 'koa'
import { z } from 'zod'
import { createSealedCookie } from '../platform/http/sealed-cookie.ts'
import type { Secrets } from '../platform/secrets.ts'
import { placeOf } from './place.ts'

/** The cookie. */
export interface IdentifierCookie {
  keep(ctx: Context, interaction: { readonly uid: string; readonly clientId: string }, identifier: string): void
  kept(ctx: Context, interaction: { readonly uid: string }): string | undefined
  /** For whom the interaction began, also when it is over. */
  clientId(ctx: Context, uid: string): string | undefined
}

const schema = z.object({ identifier: z.string(), clientId: z.string() })

/** Makes it. */
export const createIdentifierCookie = ({ secrets, isSecure }: { secrets: Secrets; isSecure: boolean }): IdentifierCookie => {
  const cookie = createSealedCookie({ name: 'identifier', schema, secrets, isSecure })
  return {
    keep: (ctx, { uid, clientId }, identifier) => cookie.write(ctx, { identifier, clientId }, placeOf({ uid })),
    kept: (ctx, { uid }) => cookie.read(ctx, placeOf({ uid }))?.identifier,
    clientId: (ctx, uid) => cookie.read(ctx, placeOf({ uid }))?.clientId,
  }
}

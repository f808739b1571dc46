// The identifier that was typed, kept from one page of an interaction to the next: in a sealed cookie, never in an address.
import type { Context } from 'koa'
import { z } from 'zod'
import { createSealedCookie } from '../platform/http/sealed-cookie.ts'
import type { Secrets } from '../platform/secrets.ts'

/** The cookie. */
export interface IdentifierCookie {
  keep(ctx: Context, interaction: { readonly uid: string }, identifier: string): void
  kept(ctx: Context, interaction: { readonly uid: string }): string | undefined
}

/** Makes it. */
export const createIdentifierCookie = ({ secrets, isSecure }: { secrets: Secrets; isSecure: boolean }): IdentifierCookie => {
  const cookie = createSealedCookie({ name: 'identifier', schema: z.string(), secrets, isSecure })
  const place = ({ uid }: { readonly uid: string }) => ({ path: `/interaction/${uid}`, binding: uid })
  return {
    keep: (ctx, interaction, identifier) => cookie.write(ctx, identifier, place(interaction)),
    kept: (ctx, interaction) => cookie.read(ctx, place(interaction)),
  }
}

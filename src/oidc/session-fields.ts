// What a session keeps beyond the engine's own fields: by whom its person was proven, and how far that goes.
import Provider from 'oidc-provider'
import { z } from 'zod'

declare module 'oidc-provider' {
  interface Session {
    /** The account at another provider by which it began; absent: by none, or before this was kept. */
    identityId?: string | undefined
    /** The organization for which alone it is good. */
    confinedTo?: string | undefined
  }
}

const schema = z.object({ identityId: z.string().optional(), confinedTo: z.string().optional() })

/** Reads it of a session, or of what a sign-in came to. */
export const proverOf = (kept: unknown): z.output<typeof schema> => schema.safeParse(kept).data ?? {}

interface Model {
  readonly IN_PAYLOAD: string[]
  readonly prototype: { loginAccount(this: object, details: { readonly accountId: string }): void }
}

/** Has the engine keep our fields with each session, anew at each sign-in. Call once for each engine, before it is used. */
export const keepSessionFields = (provider: Provider): void => {
  const model = provider.Session as unknown as Model
  const { IN_PAYLOAD: own, prototype } = model
  Object.defineProperty(model, 'IN_PAYLOAD', { get: () => [...own, 'identityId', 'confinedTo'] })
  const { loginAccount } = prototype
  prototype.loginAccount = function (details) {
    loginAccount.call(this, details)
    const login = Provider.ctx?.oidc?.entities.Interaction?.result?.login
    Object.assign(this, { identityId: undefined, confinedTo: undefined }, login?.accountId === details.accountId ? proverOf(login) : {})
  }
}

// What a grant keeps beyond the engine's own fields.
import type Provider from 'oidc-provider'
import type { Exchanged } from './exchange.ts'

declare module 'oidc-provider' {
  interface Grant {
    /** The organization that all tokens under this grant are for; absent: none. */
    organizationId?: string
    /** The session that it was given in; absent: in none, or before this was kept. */
    sessionUid?: string
    /** Of a grant that a token exchange made: what it descends from. */
    exchange?: Exchanged
    /** Of a grant that a backchannel approval made: it is for that request alone, and not remembered for another. */
    isBackchannel?: boolean
  }
}

const fields = ['organizationId', 'sessionUid', 'exchange', 'isBackchannel']

/** Has the engine keep our fields with each grant. Call once for each engine, before it is used. */
export const keepGrantFields = (provider: Provider): void => {
  const own = (provider.Grant as unknown as { IN_PAYLOAD: string[] }).IN_PAYLOAD
  Object.defineProperty(provider.Grant, 'IN_PAYLOAD', { get: () => [...own, ...fields] })
}

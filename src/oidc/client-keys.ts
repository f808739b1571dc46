// The keys behind a client's `jwks_uri`: how long they are believed, when they are asked for again, and what holds while nobody answers.
import type { Client } from 'oidc-provider'

/** Told by the client's own server within these bounds; a key that is gone there is refused here after the longest at the latest. */
const shortestSeconds = 60
const longestSeconds = 900
/** For how long what was known goes on while the client's server does not answer. */
const outageSeconds = 3600
/** How soon a server that did not answer is asked again. */
const retrySeconds = 10

/** The engine's store of a client's keys, as far as it is changed here. */
interface KeyStore {
  freshUntil?: number
  fresh(): boolean
  refresh(): Promise<void>
  selectForVerify(options: object): readonly object[]
}

/**
 * Has the engine believe a client's keys for no longer than told: it looks only when a signature does not verify, and so would
 * take a key that was withdrawn until another is used. What does not verify has the keys asked for at most once a minute, however
 * often it comes. `now` is the clock.
 */
export const keepFresh = (client: Client, now: () => Date): void => {
  const keys = Reflect.get(client, 'asymmetricKeyStore') as KeyStore & object
  if (client.jwksUri === undefined) return
  const seconds = () => now().getTime() / 1000
  const { refresh: fetchKeys, selectForVerify } = keys
  const known = { confirmedAt: Number.NEGATIVE_INFINITY, dueAt: Number.NEGATIVE_INFINITY, askAgainAt: Number.NEGATIVE_INFINITY }
  let asking: Promise<void> | undefined

  const fresh = () => asking === undefined && seconds() < known.askAgainAt
  const isUsable = () => seconds() < known.dueAt || (fresh() && seconds() < known.confirmedAt + outageSeconds)

  const ask = async () => {
    try {
      await fetchKeys.call(keys)
      const told = (keys.freshUntil ?? 0) - seconds()
      known.confirmedAt = seconds()
      known.askAgainAt = seconds() + shortestSeconds
      known.dueAt = seconds() + Math.min(Math.max(told, shortestSeconds), longestSeconds)
    } catch (error) {
      known.askAgainAt = seconds() + retrySeconds
      if (seconds() >= known.confirmedAt + outageSeconds) throw error
    } finally {
      asking = undefined
    }
  }

  Object.assign(keys, {
    fresh,
    refresh: async () => {
      if (fresh()) return
      asking ??= ask()
      await asking
    },
    selectForVerify: (options: object) => (isUsable() ? selectForVerify.call(keys, options) : []),
  })
}

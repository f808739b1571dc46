// Tells clients that a session ended (OpenID Connect Back-Channel Logout 1.0): by a job, never while the person waits.
import type Provider from 'oidc-provider'
import { Hopeless, type JobHandler, jobHandler } from '../platform/jobs/job.ts'
import { logoutKind } from './logout-jobs.ts'
import type { Engine } from './provider.ts'

/** The engine's own sending, which makes the logout token. */
type Send = (this: object, sub: string, sid: string) => Promise<void>

const senders = new WeakMap<Provider, Send>()
// Below the shortest wait for another try: a job never meets its own failure here.
const silentMilliseconds = 4000

/** Keeps the engine from telling clients within the request that ends a session: whatever ends one asks for jobs. */
export const leaveLogoutsToJobs = (provider: Provider): void => {
  const send: unknown = provider.Client.prototype.backchannelLogout
  if (typeof send !== 'function') throw new Error('the engine sends no logout tokens')
  senders.set(provider, async function (sub, sid) {
    await send.call(this, sub, sid)
  })
  const leave: Send = async () => undefined
  Object.assign(provider.Client.prototype, { backchannelLogout: leave })
}

/**
 * Makes the work. The logout token is made anew for each try, by the keys of that moment: its `jti` is fresh and it lives for two
 * minutes (§2.4). What answers 200 or 204 was told (§2.8); 400 says that the token was refused or the logout failed there, which the
 * same words would not mend, so it is given up at once; everything else is tried again. Of many that are to be sent to a place that does
 * not answer the first few wait for it, so that they do not hold up what other clients are to be told.
 */
export const createLogoutHandler = ({ engine, now }: { engine: Pick<Engine, 'current'>; now: () => Date }): JobHandler => {
  const silentUntil = new Map<string, number>()
  return jobHandler(logoutKind, async ({ clientId, userId, sid }) => {
    const provider = engine.current()
    const client = await provider.Client.find(clientId)
    if (!client) throw new Hopeless('the client was deleted or disabled')
    // Its address was taken away since: nobody is left to be told.
    if (!client.backchannelLogoutUri) return
    if ((silentUntil.get(clientId) ?? 0) > now().getTime()) throw new Error('the client did not answer a moment ago')
    try {
      await senders.get(provider)?.call(client, userId, sid)
      silentUntil.delete(clientId)
    } catch (error) {
      const status = statusOf(error)
      if (status === 400) throw new Hopeless('the client refused its logout token', { cause: error })
      if (status === undefined) silentUntil.set(clientId, now().getTime() + silentMilliseconds)
      throw error
    }
  })
}

const statusOf = (error: unknown): number | undefined =>
  error instanceof Error && 'response' in error && error.response instanceof Object && 'status' in error.response ? Number(error.response.status) : undefined

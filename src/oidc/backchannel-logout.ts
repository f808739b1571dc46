// Tells clients that a session ended (OpenID Connect Back-Channel Logout 1.0): by a job, never while the person waits.
import type Provider from 'oidc-provider'
import { Hopeless, type JobHandler, jobHandler } from '../platform/jobs/job.ts'
import { logoutKind } from './logout-jobs.ts'
import type { Engine } from './provider.ts'

/** The engine's own sending, which makes the logout token. */
type Send = (this: object, sub: string, sid: string) => Promise<void>

const senders = new WeakMap<Provider, Send>()

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
 * same words would not mend, so it is given up at once; everything else is tried again.
 */
export const createLogoutHandler = (engine: Pick<Engine, 'current'>): JobHandler =>
  jobHandler(logoutKind, async ({ clientId, userId, sid }) => {
    const provider = engine.current()
    const client = await provider.Client.find(clientId)
    if (!client) throw new Hopeless('the client was deleted or disabled')
    // Its address was taken away since: nobody is left to be told.
    if (!client.backchannelLogoutUri) return
    try {
      await senders.get(provider)?.call(client, userId, sid)
    } catch (error) {
      if (statusOf(error) === 400) throw new Hopeless('the client refused its logout token', { cause: error })
      throw error
    }
  })

const statusOf = (error: unknown): number | undefined =>
  error instanceof Error && 'response' in error && error.response instanceof Object && 'status' in error.response ? Number(error.response.status) : undefined

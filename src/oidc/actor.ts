// Who is asking, inside a request that the engine handles.
import Provider from 'oidc-provider'
import { type Actor, systemActor } from '../platform/actor.ts'
import { requestOf } from '../platform/http/asker.ts'

/** The client that authenticated, else nobody; outside any request, the system. */
export const actorOf = (): Actor => {
  const ctx = Provider.ctx
  if (!ctx) return systemActor
  const client = ctx.oidc.client
  return {
    kind: client ? 'client' : 'anonymous',
    id: client?.clientId,
    permissions: new Set(),
    ...requestOf(ctx),
  }
}

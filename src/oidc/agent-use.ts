// Has the engine note when agents of people get tokens.
import { isPersonal } from '../clients/agent.ts'
import type { NoteAgentUse } from '../clients/agent-use.ts'
import type { Clients } from '../clients/clients.ts'
import type { Log } from '../platform/log.ts'
import { at, type EngineStep, paths } from './paths.ts'
import type { ExtendEngine } from './provider.ts'

interface Needs {
  readonly clients: Pick<Clients, 'find'>
  readonly noteAgentUse: NoteAgentUse
  readonly log: Log
}

/** Makes the extension. The token is issued by then: what cannot be noted is a line of the log. */
export const createAgentUse =
  ({ clients, noteAgentUse, log }: Needs): ExtendEngine =>
  provider => {
    const note: EngineStep = async (ctx, next) => {
      await next()
      const { client } = ctx.oidc ?? {}
      if (ctx.status !== 200 || !client) return
      try {
        if (isPersonal(await clients.find(client.clientId))) await noteAgentUse(client.clientId)
      } catch (error) {
        log.warn({ err: error, clientId: client.clientId }, 'the use of an agent was not noted')
      }
    }
    provider.use(at([paths.token], note))
  }

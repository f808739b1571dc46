// One's agents: seen, made and ended. The secret of a new one is shown once.
import type { Context } from 'koa'
import { z } from 'zod'
import type { Agents } from '../clients/agents.ts'
import { Problem } from '../platform/errors.ts'
import { createSealedCookie } from '../platform/http/sealed-cookie.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { name, text } from '../platform/http/text.ts'
import type { Secrets } from '../platform/secrets.ts'
import { accountPage } from './page.ts'
import { parsed } from './parsed.ts'

/** What the page needs. */
export interface AgentsNeeds {
  readonly agents: Agents
  readonly secrets: Secrets
  readonly isSecure: boolean
}

const path = '/account/agents'
const making = z.strictObject({ agent_name: name(255), redirect_uris: text(2000).trim().default('') })
const ending = z.union([z.strictObject({ disable: z.uuid() }), z.strictObject({ remove: z.uuid() })])
const madeSchema = z.object({ name: z.string(), clientId: z.string(), secret: z.string() })

/** Makes it. What was made is kept in the browser until the page is seen, so that reloading it makes nothing anew. */
export const createAgentsPage = ({ agents, secrets, isSecure }: AgentsNeeds) => {
  const cookie = createSealedCookie({ name: 'agent_made', schema: madeSchema, secrets, isSecure, ttlSeconds: 60 })
  const takeMade = (ctx: Context, userId: string) => {
    const made = cookie.read(ctx, { path, binding: userId })
    if (made) cookie.clear(ctx, { path, binding: userId })
    return made
  }
  return accountPage({
    path,
    view: 'account-agents',
    isSensitive: true,
    show: async (ctx, { user }) => ({
      agents: (await agents.list(user.id)).map(({ id, name, clientId, isDisabled, createdAt }) => ({
        id,
        name,
        clientId,
        isDisabled,
        madeAt: createdAt.getTime(),
      })),
      made: takeMade(ctx, user.id),
    }),
    submit: async (ctx, { user, actor }, form) => {
      const asked = ending.safeParse(form).data
      if (asked && 'remove' in asked) {
        await agents.remove(actor, { userId: user.id, id: asked.remove })
        return { done: 'agent_removed' }
      }
      if (asked) {
        await agents.disable(actor, { userId: user.id, id: asked.disable })
        return { done: 'agent_disabled' }
      }
      const { agent_name: agentName, redirect_uris: redirectUri } = parsed(making, form)
      const given = { userId: user.id, name: agentName, redirectUris: redirectUri === '' ? [] : [redirectUri] }
      const { agent, secret = '' } = await agents.create(actor, given).catch(inWords)
      cookie.write(ctx, { name: agent.name, clientId: agent.clientId, secret }, { path, binding: user.id })
      seeOther(ctx, `${path}?done=agent_made`)
      return { answered: true }
    },
  })
}

// What the engine says of metadata is for developers: here there is one field that it can be about.
const inWords = (error: unknown): never => {
  if (!(error instanceof Problem) || error.code !== 'validation_failed') throw error
  throw new Problem('validation_failed', { cause: error, fields: [{ path: 'redirect_uris', code: 'invalid', message: 'is not valid' }] })
}

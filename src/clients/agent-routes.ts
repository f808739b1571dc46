// The operations on one's own agents.
import { z } from 'zod'
import type { Actor } from '../platform/actor.ts'
import { done, type Route, route } from '../platform/http/route.ts'
import { text, uuid } from '../platform/http/text.ts'
import { userIdOf } from '../users/user.ts'
import { agentName } from './agent.ts'
import type { Agents } from './agents.ts'
import type { Client } from './client.ts'
import { maxRedirectUris } from './open-bounds.ts'

const agentOutput = z.object({
  id: z.uuid(),
  client_id: z.string(),
  name: z.string(),
  organization_id: z.uuid().nullable(),
  token_endpoint_auth_method: z.string(),
  grant_types: z.array(z.string()),
  redirect_uris: z.array(z.string()),
  disabled: z.boolean(),
  created_at: z.iso.datetime(),
  last_used_at: z.iso.datetime().nullable(),
})

const withSecret = z.object({ agent: agentOutput, secret: z.string().optional() })

const redirectUris = z.array(text(2000)).max(maxRedirectUris)
const jwks = z.strictObject({ keys: z.array(z.record(z.string(), z.json())).min(1).max(5) })

const newAgentBody = z.strictObject({ name: agentName, redirect_uris: redirectUris.default([]), jwks: jwks.optional() })

const params = z.strictObject({ id: uuid })
const at = { path: '/users/me/agents/:id', params } as const

interface Needs {
  readonly agents: Agents
  /** Whether people may have agents of their own; else there are no such operations. */
  readonly areAgentsOn: boolean
  readonly recentProofs: { verify(actor: Actor): Promise<void> }
}

/**
 * Makes the routes. Whoever makes an agent, or says by what it authenticates and where its answers go, proved themselves a moment ago: it
 * goes on when their session has ended.
 */
export const createAgentRoutes = ({ areAgentsOn, ...needs }: Needs): readonly Route[] => (areAgentsOn ? [...collection(needs), ...one(needs)] : [])

type Doing = Pick<Needs, 'agents' | 'recentProofs'>

const collection = ({ agents, recentProofs }: Doing): readonly Route[] => [
  route({
    method: 'GET',
    path: '/users/me/agents',
    summary: 'The agents of the caller, the newest first.',
    permission: 'signed_in',
    output: z.array(agentOutput),
    handle: async ({ actor }) => ({ data: (await agents.list(userIdOf(actor))).map(toOutput) }),
  }),
  route({
    method: 'POST',
    path: '/users/me/agents',
    summary: 'Makes an agent of the caller; a secret is told only here. Needs a recent proof.',
    permission: 'signed_in',
    body: newAgentBody,
    output: withSecret,
    status: 201,
    handle: async ({ actor, body: { redirect_uris: redirectUris, ...body } }) => {
      await recentProofs.verify(actor)
      const { agent, secret } = await agents.create(actor, { ...body, redirectUris, userId: userIdOf(actor) })
      return { data: { agent: toOutput(agent), secret } }
    },
  }),
]

const one = ({ agents, recentProofs }: Doing): readonly Route[] => [
  route({
    ...at,
    method: 'PATCH',
    summary:
      'Renames one of the caller’s agents, says where it returns to (which needs a recent proof), or disables it: what it holds ends, until an administrator enables it again.',
    permission: 'signed_in',
    body: z
      .strictObject({ name: agentName, redirect_uris: redirectUris, disabled: z.literal(true, 'must be true: an administrator enables an agent again') })
      .partial(),
    output: agentOutput,
    handle: async ({ actor, params: { id }, body: { name, redirect_uris: redirectUris, disabled: isDisabled } }) => {
      const key = { id, userId: userIdOf(actor) }
      if (redirectUris !== undefined) await recentProofs.verify(actor)
      return { data: toOutput(await agents.update(actor, key, { name, redirectUris, isDisabled })) }
    },
  }),
  route({
    method: 'POST',
    path: '/users/me/agents/:id/credentials',
    summary: 'Puts new keys, or a new secret, which is told only here, in the place of what one of the caller’s agents authenticated by. Needs a recent proof.',
    permission: 'signed_in',
    params,
    body: z.strictObject({ jwks: jwks.optional() }),
    output: withSecret,
    status: 201,
    handle: async ({ actor, params: { id }, body }) => {
      await recentProofs.verify(actor)
      const { agent, secret } = await agents.renew(actor, { id, userId: userIdOf(actor) }, body)
      return { data: { agent: toOutput(agent), secret } }
    },
  }),
  route({
    ...at,
    method: 'DELETE',
    summary: 'Deletes one of the caller’s agents: what it holds ends.',
    permission: 'signed_in',
    output: done,
    handle: async ({ actor, params: { id } }) => {
      await agents.remove(actor, { id, userId: userIdOf(actor) })
      return { data: null }
    },
  }),
]

const toOutput = (agent: Client): z.input<typeof agentOutput> => ({
  id: agent.id,
  client_id: agent.clientId,
  name: agent.name,
  organization_id: agent.organizationId ?? null,
  token_endpoint_auth_method: agent.authenticationMethod,
  grant_types: [...agent.grantTypes],
  redirect_uris: [...agent.redirectUris],
  disabled: agent.isDisabled,
  created_at: agent.createdAt.toISOString(),
  last_used_at: agent.lastUsedAt?.toISOString() ?? null,
})

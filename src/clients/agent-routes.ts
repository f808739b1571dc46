// The operations on one's own agents.
import { z } from 'zod'
import type { Actor } from '../platform/actor.ts'
import { done, type Route, route } from '../platform/http/route.ts'
import { name, text } from '../platform/http/text.ts'
import { userIdOf } from '../users/user.ts'
import type { Agents } from './agents.ts'
import type { Client } from './client.ts'

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
})

const newAgentBody = z.strictObject({
  name: name(255),
  redirect_uris: z.array(text(2000)).max(10).default([]),
  jwks: z.strictObject({ keys: z.array(z.record(z.string(), z.json())).min(1).max(5) }).optional(),
})

const at = { path: '/users/me/agents/:id', params: z.strictObject({ id: z.string().toLowerCase().pipe(z.uuid()) }) } as const

interface Needs {
  readonly agents: Agents
  readonly recentProofs: { verify(actor: Actor): Promise<void> }
}

/** Makes the routes. Whoever makes an agent proved themselves a moment ago, for it goes on when their session has ended. */
export const createAgentRoutes = ({ agents, recentProofs }: Needs): readonly Route[] => [
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
    output: z.object({ agent: agentOutput, secret: z.string().optional() }),
    status: 201,
    handle: async ({ actor, body: { redirect_uris: redirectUris, ...body } }) => {
      await recentProofs.verify(actor)
      const { agent, secret } = await agents.create(actor, { ...body, redirectUris, userId: userIdOf(actor) })
      return { data: { agent: toOutput(agent), secret } }
    },
  }),
  route({
    ...at,
    method: 'PATCH',
    summary: 'Disables one of the caller’s agents: what it holds ends, until an administrator enables it again.',
    permission: 'signed_in',
    body: z.strictObject({ disabled: z.literal(true) }),
    output: agentOutput,
    handle: async ({ actor, params: { id } }) => ({ data: toOutput(await agents.disable(actor, { id, userId: userIdOf(actor) })) }),
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
})

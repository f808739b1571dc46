// One's agents: seen, made, renamed, given a new secret and ended. A secret is shown once.
import type { Context } from 'koa'
import { z } from 'zod'
import { agentName } from '../clients/agent.ts'
import type { Agents } from '../clients/agents.ts'
import { needsSecret } from '../clients/client.ts'
import { Problem } from '../platform/errors.ts'
import { typedIn } from '../platform/http/form.ts'
import { createSealedCookie } from '../platform/http/sealed-cookie.ts'
import { text } from '../platform/http/text.ts'
import type { Secrets } from '../platform/secrets.ts'
import { accountPage, type Submitted, type Visit } from './page.ts'
import { parsed } from './parsed.ts'

/** What the page needs. */
export interface AgentsNeeds {
  readonly agents: Agents
  /** Whether people may have agents of their own; else there is no such page. */
  readonly areAgentsOn: boolean
  readonly secrets: Secrets
  readonly isSecure: boolean
}

const path = '/account/agents'
const making = z.strictObject({ agent_name: agentName, redirect_uris: text(2000).trim().default('') })
const renaming = z.strictObject({ rename: z.uuid(), label: agentName })
const isRenaming = z.looseObject({ rename: text(100) })
const changing = z.union([z.strictObject({ renew: z.uuid() }), z.strictObject({ disable: z.uuid() }), z.strictObject({ remove: z.uuid() })])
const madeSchema = z.object({ name: z.string(), clientId: z.string(), secret: z.string() })

/** Makes it. What was made is kept in the browser until the page is seen, so that reloading it makes nothing anew. */
export const createAgentsPage = ({ agents, secrets, isSecure }: AgentsNeeds) => {
  const cookie = createSealedCookie({ name: 'agent_made', schema: madeSchema, secrets, isSecure, ttlSeconds: 60 })
  const takeMade = (ctx: Context, userId: string) => {
    const made = cookie.read(ctx, { path, binding: userId })
    if (made) cookie.clear(ctx, { path, binding: userId })
    return made
  }
  const goShow = (
    ctx: Context,
    { user }: Visit,
    shown: Pick<Awaited<ReturnType<Agents['create']>>, 'agent' | 'secret'> & { readonly done: string },
  ): Submitted => {
    const { agent, secret = '', done } = shown
    cookie.write(ctx, { name: agent.name, clientId: agent.clientId, secret }, { path, binding: user.id })
    return { done }
  }
  const change = async (ctx: Context, visit: Visit, asked: z.output<typeof changing>): Promise<Submitted> => {
    const { user, actor } = visit
    const keyOf = (id: string) => ({ userId: user.id, id })
    if ('renew' in asked) return goShow(ctx, visit, { ...(await agents.renew(actor, keyOf(asked.renew), {})), done: 'agent_renewed' })
    if ('disable' in asked) {
      await agents.update(actor, keyOf(asked.disable), { isDisabled: true })
      return { done: 'agent_disabled' }
    }
    await agents.remove(actor, keyOf(asked.remove))
    return { done: 'agent_removed' }
  }
  return accountPage({
    path,
    view: 'account-agents',
    isSensitive: true,
    show: async (ctx, { user }) => ({
      agents: (await agents.list(user.id)).map(({ id, name, clientId, authenticationMethod, redirectUris, isDisabled, createdAt, lastUsedAt }) => ({
        id,
        name,
        clientId,
        hasSecret: needsSecret(authenticationMethod),
        returns: redirectUris,
        isDisabled,
        madeAt: createdAt.getTime(),
        usedAt: lastUsedAt?.getTime(),
      })),
      made: takeMade(ctx, user.id),
      renaming: renamedOf(ctx),
      typed: { label: typedIn(ctx, 'label'), name: typedIn(ctx, 'agent_name'), redirect: typedIn(ctx, 'redirect_uris') },
    }),
    submit: async (ctx, visit, form) => {
      const { user, actor } = visit
      if (isRenaming.safeParse(form).success) {
        const { rename: id, label } = parsed(renaming, form)
        await agents.update(actor, { userId: user.id, id }, { name: label }).catch(inWords('label'))
        return { done: 'agent_renamed' }
      }
      const asked = changing.safeParse(form).data
      if (asked) return change(ctx, visit, asked)
      const { agent_name: name, redirect_uris: redirectUri } = parsed(making, form)
      const given = { userId: user.id, name, redirectUris: redirectUri === '' ? [] : [redirectUri] }
      return goShow(ctx, visit, { ...(await agents.create(actor, given).catch(inWords('agent_name'))), done: 'agent_made' })
    },
  })
}

const renamedOf = (ctx: Context): string | undefined => isRenaming.safeParse(ctx.request.body).data?.rename

// What the engine says of metadata is for developers: here there is one field that it can be about, beside the name.
const inWords =
  (nameField: string) =>
  (error: unknown): never => {
    if (!(error instanceof Problem) || error.code !== 'validation_failed') throw error
    const named = error.fields?.find(({ path }) => path === 'name')
    const field = named ? { ...named, path: nameField } : { path: 'redirect_uris', code: 'invalid', message: 'is not valid' }
    throw new Problem('validation_failed', { cause: error, fields: [field] })
  }

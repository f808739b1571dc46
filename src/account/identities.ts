// The accounts at other providers by which somebody signs in: seen, unlinked, and linked by proving oneself there, in this very session.
import type { Context } from 'koa'
import { z } from 'zod'
import { tellCause } from '../connectors/cause.ts'
import type { ConnectionButton } from '../connectors/connection.ts'
import type { Connections } from '../connectors/connections.ts'
import type { Identities } from '../connectors/identities.ts'
import { readReturn, type Upstream } from '../connectors/upstream.ts'
import type { Members } from '../organizations/members.ts'
import { sendOn } from '../pages/post-on.ts'
import type { Present } from '../pages/present.ts'
import { Problem } from '../platform/errors.ts'
import { text } from '../platform/http/text.ts'
import type { Log } from '../platform/log.ts'
import { accountPage, type Visit } from './page.ts'
import { parsed } from './parsed.ts'

/** What the page needs. */
export interface IdentitiesNeeds {
  readonly identities: Identities
  readonly connections: Connections
  readonly upstream: Upstream
  readonly members: Members
  readonly present: Present
  readonly log: Log
}

const path = '/account/identities'
const fields = z.union([z.strictObject({ unlink: z.uuid() }), z.strictObject({ connection: text(100) })])

/** Makes the page. */
export const createIdentitiesPage = (needs: IdentitiesNeeds) => {
  const { identities, upstream, present, log } = needs
  return accountPage({
    path,
    view: 'account-identities',
    isSensitive: true,
    show: async (_ctx, { user }) => ({
      identities: (await identities.list(user.id)).map(({ id, connection, providerData, lastUsedAt }) => ({
        id,
        name: connection.name,
        mark: connection.mark,
        organization: connection.organization,
        account: shownOf(providerData),
        usedAt: lastUsedAt.getTime(),
      })),
      connections: await buttonsFor(needs, user.id),
    }),
    submit: async (ctx, { user, actor, sid }, form) => {
      const asked = parsed(fields, form)
      if ('unlink' in asked) {
        await identities.unlink(actor, { user, id: asked.unlink })
        return { done: 'unlinked' }
      }
      const button = (await buttonsFor(needs, user.id)).find(({ id }) => id === asked.connection)
      if (!button) throw new Problem('connection_gone')
      const onward = await upstream.begin({ connectionId: button.id, binding: bindingOf(sid), returnPath: `${path}/return`, isAgain: false, ip: ctx.ip })
      sendOn(present, ctx, { connection: button.name, onward })
      return { answered: true }
    },
    comeBack: async (ctx, visit) => {
      try {
        await link(needs, ctx, visit)
        return { done: 'linked' }
      } catch (error) {
        if (error instanceof Problem) tellCause(log, error)
        throw error
      }
    },
  })
}

const link = async ({ identities, connections, upstream, members }: IdentitiesNeeds, ctx: Context, { user, actor, sid }: Visit): Promise<void> => {
  const note = (connector: string, { code }: Problem) => identities.noteRefused(actor, { userId: user.id, connector, reason: code })
  const proof = await upstream.finish({ ...readReturn(ctx.query), binding: bindingOf(sid) }, note)
  if (proof === 'taken') throw new Problem('upstream_answer_invalid', { cause: new Error('there is no such answer in this session') })
  try {
    // Whoever left the organization meanwhile links nothing of it.
    if (!(await buttonsFor({ connections, members }, user.id)).some(({ id }) => id === proof.connection.id)) throw new Problem('connection_gone')
    await identities.link(actor, { ...proof, userId: user.id })
  } catch (error) {
    if (error instanceof Problem) await note(proof.connection.connector, error)
    throw error
  }
}

// What an upstream sign-in of a session is bound to.
const bindingOf = (sid: string): string => `account\0${sid}`

/** Those of the system, and of the organizations that they belong to. */
const buttonsFor = async ({ connections, members }: Pick<IdentitiesNeeds, 'connections' | 'members'>, userId: string): Promise<readonly ConnectionButton[]> => {
  const organizations = await members.listOfUser(userId)
  const lists = await Promise.all(
    [undefined, ...organizations.map(({ organization }) => organization.id)].map(organizationId => connections.buttonsFor({ organizationId })),
  )
  return [...new Map(lists.flat().map(button => [button.id, button])).values()]
}

const shown = z.object({ email: z.string().optional().catch(undefined), login: z.string().optional().catch(undefined) }).catch({})

// What the person knows the account by.
const shownOf = (told: unknown): string | undefined => {
  const { email, login } = shown.parse(told)
  return email ?? login
}

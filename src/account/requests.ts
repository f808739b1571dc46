// What clients ask a person to approve here though they asked elsewhere, such as at a till or by telephone: shown whole, and answered by a form.
import { z } from 'zod'
import type { ClientSource } from '../clients/client.ts'
import { shownNames } from '../clients/shown-names.ts'
import type { PageLanguage } from '../pages/page-language.ts'
import type { ShowAccess } from '../pages/shown-access.ts'
import type { Actor } from '../platform/actor.ts'
import { Problem } from '../platform/errors.ts'
import type { FindBrowserSession } from '../sessions/session.ts'
import { accountPage } from './page.ts'
import { parsed } from './parsed.ts'
import type { AccountSignIn } from './sign-in.ts'

/** A request that waits; the protocol's entrance gives these. */
interface Waiting {
  readonly id: string
  readonly clientId: string
  readonly clientName: string
  readonly clientSource: ClientSource
  readonly logoUrl?: string | undefined
  readonly agentOf?: string | undefined
  readonly organizationName?: string
  readonly ip?: string
  readonly asked: {
    readonly scopes: readonly string[]
    readonly claims: readonly string[]
    readonly resources: Readonly<Record<string, readonly string[]>>
    readonly bindingMessage?: string | undefined
  }
  readonly createdAt: Date
  readonly expiresAt: Date
}

interface Own {
  readonly id: string
  readonly accountId: string
}

/** The requests of people, as the protocol's entrance gives them. */
export interface BackchannelRequests {
  list(accountId: string): Promise<readonly Waiting[]>
  countWaiting(accountId: string): Promise<number>
  /** Throws `reauthentication_required` where the client wants a later sign-in. */
  approve(
    actor: Actor,
    request: Own & { readonly session: { readonly sid: string; readonly amr: readonly string[]; readonly authenticatedAt: Date } },
  ): Promise<void>
  deny(actor: Actor, request: Own): Promise<void>
}

/** What the page needs. */
export interface RequestsNeeds {
  readonly backchannel: BackchannelRequests
  readonly findBrowserSession: FindBrowserSession
  readonly accountSignIn: AccountSignIn
  readonly pageLanguage: PageLanguage
  readonly showAccess: ShowAccess
}

const path = '/account/requests'
const form = z.strictObject({ request: z.uuid(), decision: z.enum(['approve', 'deny']) })

/** Makes it. Approving asks for a sign-in as recent as the client wishes, and never for an older one than of five minutes. */
export const createRequestsPage = ({ backchannel, findBrowserSession, accountSignIn, pageLanguage, showAccess }: RequestsNeeds) =>
  accountPage({
    path,
    view: 'account-requests',
    isSensitive: true,
    show: async (ctx, { user }) => {
      const { t } = pageLanguage.of(ctx)
      const requests = await backchannel.list(user.id)
      const toShown = async ({ id, clientId, clientName, clientSource, logoUrl, agentOf, organizationName, ip, asked, createdAt, expiresAt }: Waiting) => ({
        id,
        client: { ...shownNames({ clientId, name: clientName, source: clientSource }), logoUrl, agentOf },
        organization: organizationName,
        message: asked.bindingMessage,
        ...(await showAccess(asked, t)),
        ip,
        askedAt: createdAt.getTime(),
        expiresAt: expiresAt.getTime(),
      })
      return { requests: await Promise.all(requests.map(toShown)) }
    },
    submit: async (ctx, { user, sid, actor }, given) => {
      const { request: id, decision } = parsed(form, given)
      const own = { id, accountId: user.id }
      if (decision === 'deny') {
        await backchannel.deny(actor, own)
        return { done: 'denied' }
      }
      const session = await findBrowserSession(ctx)
      if (session?.sid !== sid) throw new Problem('csrf_mismatch')
      try {
        await backchannel.approve(actor, { ...own, session })
      } catch (error) {
        if (!(error instanceof Problem && error.code === 'reauthentication_required')) throw error
        accountSignIn.begin(ctx, { to: path, isAnother: true })
        return { answered: true }
      }
      return { done: 'approved' }
    },
  })

// The organization that an authorization request is for: named by the client, the only one, or chosen by the person.
//
// A request is for one organization or none. It is for one where `organization` names it, by id or slug, where a client that is a
// guest at an organization's resource server names that (resource-guests.ts), or where scope `organization` is asked; whoever is a
// member of none, or not of the one that is named, is refused alike, whether there is such an organization or not. Whoever is a member of several chooses on a page; the choice is kept in the session for the client, so
// that a silent renewal finds it, and is asked for again with `prompt=select_account`, in another session, and once it is theirs
// no more. What the client named is not the person's choice and is not kept. Where nobody may be asked the answer is
// `interaction_required`: `account_selection_required` is for the accounts of somebody (OpenID Connect Core §3.1.2.6).
import { errors, type KoaContextWithOIDC } from 'oidc-provider'
import { z } from 'zod'
import { isForeign } from '../clients/agent.ts'
import type { Clients } from '../clients/clients.ts'
import type { ResourceServers } from '../clients/resource-servers.ts'
import type { Memberships, TokenMembership } from '../organizations/memberships.ts'
import { impliedOrganization } from './resource-guests.ts'

/** What a request is for. */
export type AskedOrganization =
  | { readonly kind: 'none' }
  | { readonly kind: 'one'; readonly membership: TokenMembership }
  /** Several are possible: the person has to say which. */
  | { readonly kind: 'undecided' }
  | { readonly kind: 'refused' }

/** Decides for each request of somebody who is signed in; once, however often it is asked. */
export interface AskedOrganizations {
  find(ctx: KoaContextWithOIDC): Promise<AskedOrganization>
  /** Why the client is not open to the person: it is for the members of its organization alone, or somebody else's agent. */
  findShutOut(ctx: KoaContextWithOIDC): Promise<Error | undefined>
}

/** What an interaction's result tells of a choice: whose it is, and which. */
export const chosenSchema = z.object({ organization: z.object({ id: z.string(), accountId: z.string() }) })

/** The scope by which a client asks for an organization that it does not name. */
export const organizationScope = 'organization'

interface Needs {
  readonly clients: Pick<Clients, 'find'>
  readonly resourceServers: Pick<ResourceServers, 'find'>
  readonly memberships: Memberships
}

/** Makes it. Without `organization`, its scope and a resource it costs no query. */
export const createAskedOrganizations = ({ clients, resourceServers, memberships }: Needs): AskedOrganizations => {
  const decided = new WeakMap<object, { readonly accountId: string; readonly asked: Promise<AskedOrganization> }>()

  const registrationOf = async ({ oidc: { client } }: KoaContextWithOIDC) => (client ? clients.find(client.clientId) : undefined)

  const decide = async (ctx: KoaContextWithOIDC, userId: string): Promise<AskedOrganization> => {
    const named = ctx.oidc.params?.organization
    if (typeof named === 'string' && named !== '') return one(await memberships.find({ userId, organization: named }))
    const implied =
      ctx.oidc.params?.resource === undefined ? undefined : await impliedOrganization(ctx, { registration: await registrationOf(ctx), resourceServers })
    if (implied !== undefined) return one(await memberships.find({ userId, organization: implied }))
    if (!ctx.oidc.requestParamScopes.has(organizationScope)) return { kind: 'none' }
    const chosen = chosenOf(ctx, userId)
    const known = chosen === undefined ? undefined : await memberships.find({ userId, organization: chosen })
    if (known) return one(known)
    const [first, ...others] = await memberships.list(userId)
    return others.length > 0 ? { kind: 'undecided' } : one(first)
  }

  return {
    find: async ctx => {
      const accountId = ctx.oidc.session?.accountId
      if (accountId === undefined) return { kind: 'none' }
      const known = decided.get(ctx.oidc)
      if (known?.accountId === accountId) return known.asked
      const asked = decide(ctx, accountId)
      decided.set(ctx.oidc, { accountId, asked })
      return asked
    },
    findShutOut: async ctx => {
      const { session } = ctx.oidc
      const registration = await registrationOf(ctx)
      if (session?.accountId && isForeign(registration, session.accountId)) return notTheirAgent()
      if (!registration?.isMembersOnly || registration.organizationId === undefined || !session?.accountId) return undefined
      const membership = await memberships.find({ userId: session.accountId, organization: registration.organizationId })
      return membership ? undefined : notAvailable()
    },
  }
}

/** The refusal of every organization that is not the person's, and of every client that is open to the members of one alone. */
export const notAvailable = () => new errors.AccessDenied('the organization is not available to the End-User')

// Whose it is is not told.
const notTheirAgent = () => new errors.AccessDenied('the client is a personal agent and does not act for this End-User')

const one = (membership: TokenMembership | undefined): AskedOrganization => (membership ? { kind: 'one', membership } : { kind: 'refused' })

// What was chosen in this very request counts before what the session knows; a choice of somebody else is none.
const chosenOf = ({ oidc: { result, prompts, session, client } }: KoaContextWithOIDC, accountId: string): string | undefined => {
  const chosen = chosenSchema.safeParse(result)
  if (chosen.success && chosen.data.organization.accountId === accountId) return chosen.data.organization.id
  if (prompts.has('select_account') || !client) return undefined
  const known = keptChoiceSchema.safeParse(session?.authorizations?.[client.clientId])
  return known.success && known.data.chosenBy === accountId ? known.data.chosen : undefined
}

const keptChoiceSchema = z.object({ chosen: z.string(), chosenBy: z.string() })

/** Keeps in the session what was chosen in this request, where something was. */
export const keepChoice = ({ oidc: { result, session, client } }: KoaContextWithOIDC): void => {
  const chosen = chosenSchema.safeParse(result)
  if (!chosen.success || !session || !client || chosen.data.organization.accountId !== session.accountId) return
  session.authorizations ??= {}
  const kept = { chosen: chosen.data.organization.id, chosenBy: session.accountId }
  session.authorizations[client.clientId] = { ...session.authorizations[client.clientId], ...kept }
}

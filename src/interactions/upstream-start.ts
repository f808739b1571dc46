// Leads a sign-in on to another provider: by its button, by the domain of an address, or because the client asks for it.
import type { Context } from 'koa'
import { z } from 'zod'
import type { Connection, ConnectionButton, ConnectionRule } from '../connectors/connection.ts'
import { domainOf } from '../connectors/domain-name.ts'
import { sendOn } from '../pages/post-on.ts'
import { Problem } from '../platform/errors.ts'
import { createSealedCookie } from '../platform/http/sealed-cookie.ts'
import type { Interaction, PageNeeds } from './interaction.ts'
import { baseOf, placeOf } from './place.ts'

/** Begins sign-ins at other providers. Each throws `connection_gone` or `upstream_unavailable`. */
export interface UpstreamStart {
  /** The buttons of the first page: those of the client, and the one it leads to. */
  buttons(interaction: Interaction): Promise<readonly ConnectionButton[]>
  /** By a button that stands on the page. */
  byButton(ctx: Context, interaction: Interaction, connectionId: string): Promise<void>
  /** By the domain of an address; `false` where it leads nowhere. */
  byAddress(ctx: Context, interaction: Interaction, email: string): Promise<boolean>
  /** As the client asks, once in an interaction; `false` where it asks for nothing that there is, or that is for the person to say. */
  byHint(ctx: Context, interaction: Interaction): Promise<boolean>
}

/** What an upstream sign-in of an interaction is bound to. */
export const bindingOf = ({ uid }: Pick<Interaction, 'uid'>): string => `interaction\0${uid}`

/** Makes it. */
export const createUpstreamStart = (needs: PageNeeds): UpstreamStart => {
  const { connections, upstream, findConnectionForAddress, findConnectionRule, identifiers, present } = needs
  const offered = createOffered(needs)
  const hinted = createSealedCookie({ ...needs, name: 'hinted', schema: z.object({ hint: z.string() }) })
  const begin = async (ctx: Context, interaction: Interaction, { connectionId, loginHint }: { connectionId: string; loginHint?: string }) => {
    const onward = await upstream.begin({
      connectionId,
      binding: bindingOf(interaction),
      returnPath: `${baseOf(interaction)}/connection/return`,
      loginHint,
      isAgain: interaction.againId !== undefined || interaction.isFreshAsked,
      ip: ctx.ip,
    })
    sendOn(present, ctx, { connection: (await connections.find(connectionId))?.name ?? '', onward })
  }
  const buttons = async (interaction: Interaction) => {
    const { own, added } = await offered.find(interaction)
    // Whose client it is they know; of another organization's button they are told whose it is.
    const others = added ? await connections.buttonsFor({ organizationId: added.organizationId, clientConnections: [added.id] }) : []
    return [...own.map(({ organization: _known, ...button }) => button), ...others]
  }
  const known = (ctx: Context, interaction: Interaction) => identifiers.kept(ctx, interaction) ?? interaction.loginHint
  return {
    buttons,
    byButton: async (ctx, interaction, connectionId) => {
      if (!(await buttons(interaction)).some(({ id }) => id === connectionId)) throw new Problem('connection_gone')
      await begin(ctx, interaction, { connectionId, loginHint: known(ctx, interaction) })
    },
    byAddress: async (ctx, interaction, email) => {
      const connectionId = await findConnectionForAddress(email)
      const { clientConnections } = await findConnectionRule(interaction.clientId)
      if (connectionId === undefined || clientConnections?.includes(connectionId) === false) return false
      await begin(ctx, interaction, { connectionId, loginHint: email })
      return true
    },
    byHint: async (ctx, interaction) => {
      const { connectionHint: hint } = interaction
      if (hint === undefined || ctx.query.change !== undefined || hinted.read(ctx, placeOf(interaction))) return false
      const connectionId = await offered.findAtOnce(interaction, identifiers.kept(ctx, interaction))
      if (connectionId === undefined) return false
      hinted.write(ctx, { hint }, placeOf(interaction))
      await begin(ctx, interaction, { connectionId, loginHint: known(ctx, interaction) })
      return true
    },
  }
}

/** What the pages of a client offer, and where they lead by themselves. */
const createOffered = ({ connections, findConnectionRule, isDomainProvenBy }: PageNeeds) => {
  // A client of nobody may lead to the connection of any of the organizations that it serves.
  const findAdded = async (hint: string | undefined, { organizationId, clientConnections }: ConnectionRule): Promise<Connection | undefined> =>
    hint === undefined || organizationId !== undefined || clientConnections !== undefined ? undefined : connections.find(hint)
  const find = async ({ clientId, connectionHint: hint }: Interaction) => {
    const rule = await findConnectionRule(clientId)
    const own = await connections.buttonsFor(rule)
    const hinted = own.find(({ id, connector }) => hint !== undefined && (id === hint || connector === hint))?.id
    return { own, hinted, added: hinted === undefined ? await findAdded(hint, rule) : undefined, isFirstParty: rule.isFirstParty }
  }
  return {
    find,
    // Everybody may have an organization, and so a connection: it is gone to without a click only by those whose address says that they are of it. What
    // anybody's client says of the address counts for nothing: a link alone would sign people in as somebody else (OpenID Connect Core §4).
    findAtOnce: async (interaction: Interaction, typed: string | undefined): Promise<string | undefined> => {
      const { hinted, added, isFirstParty } = await find(interaction)
      const address = typed ?? (isFirstParty ? interaction.loginHint : undefined)
      const domain = address?.includes('@') ? domainOf(address) : undefined
      if (hinted !== undefined || added?.organizationId === undefined || domain === undefined) return hinted
      return (await isDomainProvenBy(added.organizationId, domain)) ? added.id : undefined
    },
  }
}

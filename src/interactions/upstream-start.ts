// Leads a sign-in on to another provider: by its button, by the domain of an address, or because the client asks for it.
import type { Context } from 'koa'
import { z } from 'zod'
import type { ConnectionButton } from '../connectors/connection.ts'
import { sendOn } from '../pages/post-on.ts'
import { Problem } from '../platform/errors.ts'
import { createSealedCookie } from '../platform/http/sealed-cookie.ts'
import { baseOf, placeOf } from './asked-proof.ts'
import type { Interaction, PageNeeds } from './interaction.ts'

/** Begins sign-ins at other providers. Each throws `connection_gone` or `upstream_unavailable`. */
export interface UpstreamStart {
  /** The buttons of the first page. */
  buttons(interaction: Interaction): Promise<readonly ConnectionButton[]>
  /** By a button that stands on the page. */
  byButton(ctx: Context, interaction: Interaction, connectionId: string): Promise<void>
  /** By the domain of an address; `false` where it leads nowhere. */
  byAddress(ctx: Context, interaction: Interaction, email: string): Promise<boolean>
  /** As the client asks, once in an interaction; `false` where it asks for nothing that there is. */
  byHint(ctx: Context, interaction: Interaction): Promise<boolean>
}

/** What an upstream sign-in of an interaction is bound to. */
export const bindingOf = ({ uid }: Pick<Interaction, 'uid'>): string => `interaction\0${uid}`

/** Makes it. */
export const createUpstreamStart = (needs: PageNeeds): UpstreamStart => {
  const { connections, upstream, findConnectionForAddress, findConnectionRule, identifiers, present } = needs
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
  const buttons = async ({ clientId }: Interaction) => connections.buttonsFor(await findConnectionRule(clientId))
  const known = (ctx: Context, interaction: Interaction) => identifiers.kept(ctx, interaction) ?? interaction.loginHint
  // A client of nobody may lead to the connection of any of the organizations that it serves.
  const findHinted = async (interaction: Interaction, hint: string): Promise<string | undefined> => {
    const button = (await buttons(interaction)).find(({ id, connector }) => id === hint || connector === hint)
    const { organizationId, clientConnections } = await findConnectionRule(interaction.clientId)
    if (button || organizationId !== undefined || clientConnections !== undefined) return button?.id
    return (await connections.find(hint))?.id
  }
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
      const connectionId = await findHinted(interaction, hint)
      if (connectionId === undefined) return false
      hinted.write(ctx, { hint }, placeOf(interaction))
      await begin(ctx, interaction, { connectionId, loginHint: known(ctx, interaction) })
      return true
    },
  }
}

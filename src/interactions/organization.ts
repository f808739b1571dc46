// The organization picker: whoever belongs to several says for which one the client gets its tokens.
import type { Context } from 'koa'
import { z } from 'zod'
import { brandingOf } from '../pages/present.ts'
import { Problem } from '../platform/errors.ts'
import { readForm } from '../platform/http/form.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { text } from '../platform/http/text.ts'
import { type Interaction, isShownOnPage, type PageNeeds } from './interaction.ts'
import { baseOf } from './place.ts'
import { tell } from './tell.ts'

const pageSize = 20
const form = z.strictObject({ csrf: text(200), organization: z.uuid() })
// What cannot be read is as if it were not said.
const query = z.object({ q: text(100).trim().catch(''), page: z.coerce.number().int().min(1).max(10_000).catch(1) })

/** Makes the page's handlers. Up to twenty are shown at once; more are searched, and shown page by page. */
export const createOrganizationPage = ({ interactions, users, memberships, present, forms, issuer }: PageNeeds) => {
  const show = async (ctx: Context, interaction: Interaction, problem?: Problem) => {
    const user = interaction.accountId ? await users.find(interaction.accountId) : undefined
    if (!user) throw new Problem('interaction_expired')
    const base = baseOf(interaction)
    const { q, page } = query.parse(ctx.query)
    const { rows, total } = await memberships.search(user.id, { q, offset: (page - 1) * pageSize, limit: pageSize })
    const urlOf = (other: number) => `${base}/organization?${new URLSearchParams({ ...(q ? { q } : {}), page: String(other) })}`
    const search = {
      url: `${base}/organization`,
      q,
      previousUrl: page > 1 ? urlOf(page - 1) : undefined,
      nextUrl: page * pageSize < total ? urlOf(page + 1) : undefined,
    }
    present(ctx, 'organization', {
      action: `${base}/organization`,
      switchAction: `${base}/switch`,
      cancelAction: `${base}/cancel`,
      csrf: forms.issue(interaction.uid),
      client: interaction.client ?? { name: brandingOf(ctx).name },
      account: user.email,
      organizations: rows.map(({ organizationId: id, name, slug }) => ({ id, name, slug })),
      search: total > pageSize || q !== '' || page > 1 ? search : undefined,
      problem,
    })
  }

  return {
    show,
    /** The same with what is searched for in the address. */
    search: async (ctx: Context) => {
      const interaction = await interactions.get(ctx)
      if (interaction.prompt !== 'organization') return seeOther(ctx, baseOf(interaction))
      await show(ctx, interaction)
    },
    submit: async (ctx: Context) => {
      const interaction = await interactions.get(ctx)
      const userId = interaction.accountId
      if (interaction.prompt !== 'organization' || userId === undefined) throw new Problem('interaction_expired')
      try {
        const { csrf, organization } = await readForm(ctx, { fields: form, issuer })
        forms.verify(interaction.uid, csrf)
        if (!(await memberships.find({ userId, organization }))) throw new Problem('organization_gone')
        seeOther(ctx, await interactions.chooseOrganization(ctx, organization))
      } catch (error) {
        if (!isShownOnPage(error)) throw error
        tell(ctx, error)
        await show(ctx, interaction, error)
      }
    },
  }
}

// Consent: what a client asks for, in plain words, allowed or denied.
import type { Context } from 'koa'
import { z } from 'zod'
import { brandingOf } from '../pages/present.ts'
import { Problem } from '../platform/errors.ts'
import { readForm } from '../platform/http/form.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { text } from '../platform/http/text.ts'
import { type Interaction, type PageNeeds, visitor } from './interaction.ts'
import { baseOf } from './place.ts'
import type { SentTwice } from './sent-twice.ts'

const form = z.strictObject({ csrf: text(200), decision: z.enum(['allow', 'deny']) })

/** Makes the page's handlers. */
export const createConsentPage = ({
  interactions,
  users,
  showAccess,
  present,
  pageLanguage,
  forms,
  issuer,
  sentTwice,
}: PageNeeds & { readonly sentTwice: SentTwice }) => ({
  show: async (ctx: Context, interaction: Interaction) => {
    const user = interaction.accountId ? await users.find(interaction.accountId) : undefined
    if (!user) throw new Problem('interaction_expired')
    const { t } = pageLanguage.of(ctx)
    const base = baseOf(interaction)
    present(ctx, 'consent', {
      action: `${base}/consent`,
      switchAction: `${base}/switch`,
      csrf: forms.issue(interaction.uid),
      client: interaction.client ?? { name: brandingOf(ctx).name },
      account: user.email,
      organization: interaction.organization,
      ...(await showAccess(interaction.asked, t)),
      details: interaction.details.map(detail => ({ ...detail, fields: detail.fields.map(field => toField(field, t)) })),
      offline: interaction.hasOfflineAccess,
    })
  },
  submit: sentTwice.taking(async ctx => {
    const interaction = await interactions.get(ctx)
    const { csrf, decision } = await readForm(ctx, { fields: form, issuer })
    forms.verify(interaction.uid, csrf)
    if (decision === 'deny') return seeOther(ctx, await interactions.refuse(ctx, visitor(ctx)))
    const place = await interactions.finishConsent(ctx, visitor(ctx))
    if (interaction.accountId !== undefined) sentTwice.keep(ctx, interaction, { csrf, accountId: interaction.accountId })
    seeOther(ctx, place)
  }),
})

const toField = ({ label, value }: Interaction['details'][number]['fields'][number], t: (key: string) => string) => ({
  label,
  value: typeof value === 'boolean' ? t(value ? 'consent.yes' : 'consent.no') : value,
})

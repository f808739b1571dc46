// The second factor of a sign-in or a step up: one code, from the app or from the list of recovery codes.
import type { Context } from 'koa'
import { z } from 'zod'
import type { CodeFactor } from '../mfa/authenticator.ts'
import { Problem } from '../platform/errors.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { text } from '../platform/http/text.ts'
import { actingAs, type Interaction, isShownOnPage, type PageNeeds } from './interaction.ts'
import { readProofForm, withProgress } from './progress.ts'
import { tell } from './tell.ts'

const fields = z.strictObject({ csrf: text(200), code: text(100).trim().min(1) })

const pathOf: Readonly<Record<CodeFactor, string>> = { totp: 'second-factor', recovery_code: 'second-factor/recovery-code' }

/** Makes the handlers of a factor's page. */
export const createSecondFactorPage = (needs: PageNeeds, factor: CodeFactor) => {
  const { interactions, secondFactor, users, present, forms } = needs
  const showFor = async (ctx: Context, { interaction, userId, problem }: { interaction: Interaction; userId: string; problem?: Problem }) => {
    const [user, factors] = await Promise.all([users.find(userId), secondFactor.list(userId)])
    if (!user) throw new Problem('interaction_expired')
    const base = `/interaction/${interaction.uid}`
    present(ctx, 'second-factor', {
      action: `${base}/${pathOf[factor]}`,
      csrf: forms.issue(interaction.uid),
      factor,
      account: user.email,
      switchUrl: `${base}/identifier`,
      client: interaction.client,
      ways: factors.filter(other => other !== factor).map(other => ({ factor: other, url: `${base}/${pathOf[other]}` })),
      cancelAction: `${base}/cancel`,
      problem,
    })
  }

  return {
    show: async (ctx: Context) => {
      const interaction = await interactions.get(ctx)
      const progress = await interactions.getProgress(ctx)
      if (progress?.next !== 'second_factor') return seeOther(ctx, await withProgress(ctx, { interactions, interaction, progress }))
      await showFor(ctx, { interaction, userId: progress.userId })
    },
    submit: async (ctx: Context) => {
      const { interaction, given, progress } = await readProofForm(ctx, { ...needs, fields })
      if (progress?.next !== 'second_factor') return seeOther(ctx, await withProgress(ctx, { interactions, interaction, progress }))
      const { userId } = progress
      try {
        if (given instanceof Problem) throw given
        const { amr } = await secondFactor.prove(actingAs(ctx, userId), { userId, factor, code: given.code })
        seeOther(ctx, await interactions.addFactor(ctx, { amr }))
      } catch (error) {
        if (!isShownOnPage(error)) throw error
        tell(ctx, error)
        await showFor(ctx, { interaction, userId, problem: error })
      }
    },
  }
}

// The recovery codes of a factor that was enrolled just now: made when they are shown, shown once.
import type { Context } from 'koa'
import { z } from 'zod'
import { Problem } from '../platform/errors.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { text } from '../platform/http/text.ts'
import type { Secrets } from '../platform/secrets.ts'
import { actingAs, boundTo, type Interaction, type PageNeeds } from './interaction.ts'
import { baseOf } from './place.ts'
import { readProofForm, withProgress } from './progress.ts'
import { tell } from './tell.ts'

const fields = z.strictObject({ csrf: text(200), kept: text(2000), saved: text(10).min(1).prefault('') })
const keptOnly = z.object({ kept: text(2000) })

/** Makes the page's handlers. */
export const createRecoveryCodesPage = (needs: PageNeeds) => {
  const { interactions, recoveryCodes, present, pageLanguage, forms, secrets } = needs
  const showFor = (
    ctx: Context,
    { interaction, userId, codes, problem }: { interaction: Interaction; userId: string; codes: readonly string[]; problem?: Problem },
  ) =>
    present(ctx, 'recovery-codes', {
      action: `${baseOf(interaction)}/recovery-codes`,
      csrf: forms.issue(boundTo(interaction, userId)),
      // Whoever forgets to tick the box is shown the same codes again; only this browser can open them.
      kept: secrets.seal('form', codes.join(' '), sealedFor(interaction, userId)),
      codes,
      problem,
    })

  return {
    show: async (ctx: Context) => {
      const interaction = await interactions.get(ctx)
      const progress = await interactions.getProgress(ctx)
      if (!progress?.areCodesDue || progress.next) return seeOther(ctx, await withProgress(ctx, { interactions, interaction, progress }))
      // A page that is loaded again shows others: those before are void.
      const { userId } = progress
      showFor(ctx, { interaction, userId, codes: await recoveryCodes.issue(actingAs(ctx, progress, pageLanguage.of(ctx)), userId) })
    },
    submit: async (ctx: Context) => {
      const { interaction, given, progress } = await readProofForm(ctx, { ...needs, fields })
      if (!progress?.areCodesDue || progress.next) return seeOther(ctx, await withProgress(ctx, { interactions, interaction, progress }))
      if (!(given instanceof Problem)) return seeOther(ctx, await interactions.codesSeen(ctx))
      const { userId } = progress
      const codes = keptCodes(secrets, { body: ctx.request.body, context: sealedFor(interaction, userId) })
      if (!codes) return seeOther(ctx, `${baseOf(interaction)}/recovery-codes`)
      tell(ctx, given)
      showFor(ctx, { interaction, userId, codes, problem: given })
    },
  }
}

const sealedFor = (interaction: Interaction, userId: string) => `recovery-codes\0${boundTo(interaction, userId)}`

const keptCodes = (secrets: Secrets, { body, context }: { body: unknown; context: string }): readonly string[] | undefined => {
  const parsed = keptOnly.safeParse(body)
  if (!parsed.success) return undefined
  try {
    return secrets.unseal('form', parsed.data.kept, context).split(' ')
  } catch {
    return undefined // not what we sealed: they are shown others
  }
}

// Setting up an authenticator app in a sign-in that requires a second factor, and seeing the recovery codes once.
import type { Context } from 'koa'
import { z } from 'zod'
import { amrOfCode } from '../mfa/authenticator.ts'
import type { TotpEnrolment } from '../mfa/totp.ts'
import { Problem } from '../platform/errors.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { text } from '../platform/http/text.ts'
import type { User } from '../users/user.ts'
import { actingAs, boundTo, type Interaction, isShownOnPage, type PageNeeds, type Progress } from './interaction.ts'
import { baseOf } from './place.ts'
import { goOnWithFactor, readProofForm, withProgress } from './progress.ts'
import { tell } from './tell.ts'

const fields = z.strictObject({ csrf: text(200), code: text(100).trim().min(1) })

/** Makes the handlers of the page that enrols an authenticator app. */
export const createEnrolmentPage = (needs: PageNeeds) => {
  const { interactions, totps, users, present, pageLanguage, forms, now } = needs
  const userOf = async ({ userId }: Progress): Promise<User> => {
    const user = await users.find(userId)
    if (!user) throw new Problem('interaction_expired')
    return user
  }
  // A seed is shown only in the interaction that it was made in: nobody else may have seen it.
  const enrolmentOf = async (ctx: Context, { user, progress }: { user: User; progress: Progress }): Promise<TotpEnrolment> => {
    const known = progress.enrolmentId === undefined ? undefined : await totps.findEnrolment(user, progress.enrolmentId)
    if (known) return known
    const made = await totps.enrol(actingAs(ctx, progress), { user })
    await interactions.noteEnrolment(ctx, made.id)
    return made
  }
  const showFor = (
    ctx: Context,
    { interaction, user, enrolment, problem }: { interaction: Interaction; user: User; enrolment: TotpEnrolment; problem?: Problem },
  ) => {
    const base = baseOf(interaction)
    present(ctx, 'enrol-totp', {
      action: `${base}/enrol`,
      csrf: forms.issue(boundTo(interaction, user.id)),
      account: user.email,
      client: interaction.client,
      secret: enrolment.secret,
      uri: enrolment.uri,
      qr: enrolment.qr,
      cancelAction: `${base}/cancel`,
      cancelCsrf: forms.issue(interaction.uid),
      problem,
    })
  }

  return {
    show: async (ctx: Context) => {
      const interaction = await interactions.get(ctx)
      const progress = await interactions.getProgress(ctx)
      if (progress?.next !== 'enrolment') return seeOther(ctx, await withProgress(ctx, { interactions, interaction, progress }))
      const user = await userOf(progress)
      showFor(ctx, { interaction, user, enrolment: await enrolmentOf(ctx, { user, progress }) })
    },
    submit: async (ctx: Context) => {
      const { interaction, given, progress } = await readProofForm(ctx, { ...needs, fields })
      if (progress?.next !== 'enrolment') return seeOther(ctx, await withProgress(ctx, { interactions, interaction, progress }))
      const user = await userOf(progress)
      const enrolment = await enrolmentOf(ctx, { user, progress })
      try {
        if (given instanceof Problem) throw given
        const at = now()
        await totps.confirm(actingAs(ctx, progress, pageLanguage.of(ctx)), { user, id: enrolment.id, code: given.code })
        await goOnWithFactor(ctx, needs, { userId: user.id, amr: amrOfCode, at, isEnrolled: true })
      } catch (error) {
        if (!isShownOnPage(error)) throw error
        tell(ctx, error)
        showFor(ctx, { interaction, user, enrolment, problem: error })
      }
    },
  }
}

// The second factor of a sign-in or a step up: a passkey, or one code, from the app or from the list of recovery codes.
import type { Context } from 'koa'
import { z } from 'zod'
import { type CodeFactor, codesOf } from '../mfa/authenticator.ts'
import { assertionField } from '../mfa/passkey.ts'
import { Problem } from '../platform/errors.ts'
import { readForm, tokenOnly } from '../platform/http/form.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { text } from '../platform/http/text.ts'
import { actingAs, boundTo, type Interaction, isShownOnPage, type PageNeeds } from './interaction.ts'
import { baseOf } from './place.ts'
import { goOnWithFactor, readProofForm, withProgress } from './progress.ts'
import { tell } from './tell.ts'

const csrf = text(200)
const codeFields = z.strictObject({ csrf, code: text(100).trim().min(1) })
const passkeyFields = z.strictObject({ csrf, response: assertionField })

const pathOf: Readonly<Record<CodeFactor, string>> = { totp: 'second-factor', recovery_code: 'second-factor/recovery-code' }

interface Shown {
  readonly interaction: Interaction
  readonly userId: string
  readonly problem?: Problem
  readonly unknownPasskey?: string
}

/** Shows the page of a factor: of the app where there is one, else of the passkey alone. The passkey stands on either. */
const createShow =
  ({ secondFactor, users, present, forms }: PageNeeds, given: CodeFactor) =>
  async (ctx: Context, { interaction, userId, problem, unknownPasskey }: Shown) => {
    const [user, held] = await Promise.all([users.find(userId), secondFactor.list(userId)])
    if (!user) throw new Problem('interaction_expired')
    const base = baseOf(interaction)
    const action = `${base}/second-factor/passkey`
    present(ctx, 'second-factor', {
      action: `${base}/${pathOf[given]}`,
      csrf: forms.issue(boundTo(interaction, userId)),
      factor: given === 'totp' && held.includes('passkey') && !held.includes('totp') ? 'passkey' : given,
      account: user.email,
      switchUrl: `${base}/identifier`,
      client: interaction.client,
      passkey: held.includes('passkey') ? { action, optionsUrl: `${action}/options`, unknownId: unknownPasskey } : undefined,
      ways: codesOf(held)
        .filter(other => other !== given)
        .map(factor => ({ factor, url: `${base}/${pathOf[factor]}` })),
      cancelAction: `${base}/cancel`,
      cancelCsrf: forms.issue(interaction.uid),
      problem,
    })
  }

/** Makes the handlers of a factor's page. */
export const createSecondFactorPage = (needs: PageNeeds, factor: CodeFactor) => {
  const { interactions, secondFactor, devices, pageLanguage, now } = needs
  const showFor = createShow(needs, factor)
  return {
    show: async (ctx: Context) => {
      const interaction = await interactions.get(ctx)
      const progress = await interactions.getProgress(ctx)
      if (progress?.next !== 'second_factor') return seeOther(ctx, await withProgress(ctx, { interactions, interaction, progress }))
      await showFor(ctx, { interaction, userId: progress.userId })
    },
    submit: async (ctx: Context) => {
      const { interaction, given, progress } = await readProofForm(ctx, { ...needs, fields: codeFields })
      if (progress?.next !== 'second_factor') return seeOther(ctx, await withProgress(ctx, { interactions, interaction, progress }))
      const { userId } = progress
      try {
        if (given instanceof Problem) throw given
        const at = now()
        const actor = actingAs(ctx, progress, pageLanguage.of(ctx))
        const { amr } = await secondFactor.prove(actor, { userId, factor, code: given.code, device: devices.read(ctx) })
        await goOnWithFactor(ctx, needs, { userId, amr, at })
      } catch (error) {
        if (!isShownOnPage(error)) throw error
        tell(ctx, error)
        await showFor(ctx, { interaction, userId, problem: error })
      }
    },
  }
}

/** Makes the handlers of a passkey as the second factor: of this user, in this interaction. */
export const createSecondPasskey = (needs: PageNeeds) => {
  const { interactions, passkeys, forms, issuer, now } = needs
  const showFor = createShow(needs, 'totp')
  return {
    /** Answers a `PublicKeyCredentialRequestOptionsJSON` to the script of our page. */
    giveOptions: async (ctx: Context) => {
      const { uid } = await interactions.get(ctx)
      const { csrf } = await readForm(ctx, { fields: tokenOnly, issuer })
      const progress = await interactions.getProgress(ctx)
      if (progress?.next !== 'second_factor') throw new Problem('interaction_expired')
      const { userId } = progress
      forms.verify(boundTo({ uid }, userId), csrf)
      ctx.set('Cache-Control', 'no-store')
      ctx.body = await passkeys.beginProof(actingAs(ctx, progress), { binding: uid, userId })
    },
    submit: async (ctx: Context) => {
      const { interaction, given, progress } = await readProofForm(ctx, { ...needs, fields: passkeyFields })
      if (progress?.next !== 'second_factor') return seeOther(ctx, await withProgress(ctx, { interactions, interaction, progress }))
      const { userId } = progress
      try {
        if (given instanceof Problem) throw given
        const at = now()
        const { amr } = await passkeys.prove(actingAs(ctx, progress), { binding: interaction.uid, userId, response: given.response })
        await goOnWithFactor(ctx, needs, { userId, amr, at })
      } catch (error) {
        if (!isShownOnPage(error)) throw error
        // Nobody typed what is wrong here, so there is no field to tell it at.
        const problem = error.code === 'validation_failed' ? new Problem('passkey_refused', { cause: error }) : error
        tell(ctx, problem)
        const unknownPasskey = problem.code === 'passkey_unknown' && !(given instanceof Problem) ? given.response.id : undefined
        await showFor(ctx, { interaction, userId, problem, unknownPasskey })
      }
    },
  }
}

// Signing in by passkey on the first page: what the browser needs for it, and what it answers.
import type { Context } from 'koa'
import { z } from 'zod'
import { assertionField } from '../mfa/passkey.ts'
import { Problem } from '../platform/errors.ts'
import { readForm, tokenOnly } from '../platform/http/form.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { text } from '../platform/http/text.ts'
import { type Interaction, isShownOnPage, type PageNeeds, visitor } from './interaction.ts'

interface FirstPage {
  refuse(ctx: Context, interaction: Interaction, refusal: { problem: Problem; unknownPasskey?: string }): Promise<void>
}

const passkeyForm = z.strictObject({ csrf: text(200), response: assertionField })

/** Makes the pages' handlers. */
export const createPasskeyPages = ({ interactions, passkeys, forms, devices, issuer, now }: PageNeeds, firstPage: FirstPage) => ({
  /** Answers a `PublicKeyCredentialRequestOptionsJSON` to the script of our page. */
  giveOptions: async (ctx: Context) => {
    const { uid } = await interactions.get(ctx)
    const { csrf } = await readForm(ctx, { fields: tokenOnly, issuer })
    forms.verify(uid, csrf)
    ctx.set('Cache-Control', 'no-store')
    ctx.body = await passkeys.beginProof(visitor(ctx), { binding: uid })
  },
  submit: async (ctx: Context) => {
    const interaction = await interactions.get(ctx)
    let credentialId: string | undefined
    try {
      const { csrf, response } = await readForm(ctx, { fields: passkeyForm, issuer })
      forms.verify(interaction.uid, csrf)
      credentialId = response.id
      const at = now()
      const { user, amr } = await passkeys.signIn(visitor(ctx), { binding: interaction.uid, response })
      devices.remember(ctx, user.id, amr)
      seeOther(ctx, await interactions.finishLogin(ctx, { accountId: user.id, amr, isRemembered: true, at }))
    } catch (error) {
      if (!isShownOnPage(error)) throw error
      // Nobody typed what is wrong here, so there is no field to tell it at.
      const problem = error.code === 'validation_failed' ? new Problem('passkey_refused', { cause: error }) : error
      await firstPage.refuse(ctx, interaction, { problem, unknownPasskey: problem.code === 'passkey_unknown' ? credentialId : undefined })
    }
  },
})

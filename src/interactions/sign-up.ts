// Making an account: who they are and a password. Whether the address is taken is told by mail alone.
import type { Context } from 'koa'
import { z } from 'zod'
import { Problem } from '../platform/errors.ts'
import { readForm } from '../platform/http/form.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { text } from '../platform/http/text.ts'
import { baseOf, type ProofCookie, placeOf } from './asked-proof.ts'
import { type Interaction, isShownOnPage, type PageNeeds, visitor } from './interaction.ts'
import { tell } from './tell.ts'

const form = z.strictObject({
  csrf: text(200),
  email: text(320).trim().min(1),
  name: text(200).trim().min(1),
  password: text(1024).min(1),
})

/** Makes the page's handlers. */
export const createSignUpPage = ({
  interactions,
  provenSignUp,
  present,
  forms,
  identifiers,
  offers,
  passwordMinLength,
  issuer,
  cookie,
}: PageNeeds & { cookie: ProofCookie }) => {
  const show = (ctx: Context, interaction: Interaction, { problem, email, name }: { problem?: Problem; email?: string; name?: string } = {}) =>
    present(ctx, 'sign-up', {
      action: `${baseOf(interaction)}/sign-up`,
      csrf: forms.issue(interaction.uid),
      email: email ?? identifiers.kept(ctx, interaction) ?? interaction.loginHint,
      name,
      minLength: passwordMinLength,
      signInUrl: `${baseOf(interaction)}/identifier`,
      client: interaction.client,
      cancelAction: `${baseOf(interaction)}/cancel`,
      problem,
    })
  const open = async (ctx: Context) => {
    if (!offers.signUp) throw new Problem('not_found')
    return interactions.get(ctx)
  }

  return {
    show: async (ctx: Context) => show(ctx, await open(ctx)),
    submit: async (ctx: Context) => {
      const interaction = await open(ctx)
      let typed: { email?: string; name?: string } = {}
      try {
        const { csrf, email, name, password } = await readForm(ctx, { fields: form, issuer })
        typed = { email, name }
        forms.verify(interaction.uid, csrf)
        const here = { binding: interaction.uid, linkPath: `${baseOf(interaction)}/code` }
        const { id, pending } = await provenSignUp.begin(visitor(ctx), { ...here, email, name, password })
        identifiers.keep(ctx, interaction, email)
        cookie.write(ctx, { purpose: 'sign_up', id, email, pending }, placeOf(interaction))
        seeOther(ctx, `${baseOf(interaction)}/code`)
      } catch (error) {
        if (!isShownOnPage(error)) throw error
        tell(ctx, error)
        show(ctx, interaction, { ...typed, problem: error })
      }
    },
  }
}

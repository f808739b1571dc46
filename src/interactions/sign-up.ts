// Making an account: who they are and a password. Whether the address is taken is told by mail alone.
import type { Context } from 'koa'
import { z } from 'zod'
import { Problem } from '../platform/errors.ts'
import { readForm, typedIn } from '../platform/http/form.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { mailedName, text } from '../platform/http/text.ts'
import type { ProofCookie } from './asked-proof.ts'
import { type Interaction, isShownOnPage, type PageNeeds, visitor } from './interaction.ts'
import { baseOf, placeOf } from './place.ts'
import { isFor, type SignUpOffer } from './sign-up-gate.ts'
import { tell } from './tell.ts'

const form = z.strictObject({
  csrf: text(200),
  email: text(320).trim().min(1),
  name: mailedName(200),
  password: text(1024).min(1),
})

interface Opened {
  readonly interaction: Interaction
  readonly offer: SignUpOffer
}

/** Makes the page's handlers. */
export const createSignUpPage = ({
  interactions,
  provenSignUp,
  present,
  pageLanguage,
  forms,
  identifiers,
  signUpGate,
  passwordMinLength,
  issuer,
  cookie,
}: PageNeeds & { cookie: ProofCookie }) => {
  const show = (ctx: Context, { interaction, offer }: Opened, problem?: Problem) =>
    present(ctx, 'sign-up', {
      action: `${baseOf(interaction)}/sign-up`,
      csrf: forms.issue(interaction.uid),
      email: typedIn(ctx, 'email') ?? offer.onlyFor ?? identifiers.kept(ctx, interaction) ?? interaction.loginHint,
      name: typedIn(ctx, 'name'),
      minLength: passwordMinLength,
      signInUrl: `${baseOf(interaction)}/identifier`,
      client: interaction.client,
      cancelAction: `${baseOf(interaction)}/cancel`,
      problem,
    })
  const open = async (ctx: Context): Promise<Opened> => {
    const interaction = await interactions.get(ctx)
    return { interaction, offer: await signUpGate.get(ctx, interaction) }
  }

  return {
    show: async (ctx: Context) => show(ctx, await open(ctx)),
    submit: async (ctx: Context) => {
      const opened = await open(ctx)
      const { interaction, offer } = opened
      try {
        const { csrf, email, name, password } = await readForm(ctx, { fields: form, issuer })
        forms.verify(interaction.uid, csrf)
        mustBeFor(offer, email)
        const here = { binding: interaction.uid, linkPath: `${baseOf(interaction)}/code` }
        const { id, pending } = await provenSignUp.begin(visitor(ctx, pageLanguage.of(ctx)), { ...here, email, name, password })
        identifiers.keep(ctx, interaction, email)
        cookie.write(ctx, { purpose: 'sign_up', id, email, pending }, placeOf(interaction))
        seeOther(ctx, `${baseOf(interaction)}/code`)
      } catch (error) {
        if (!isShownOnPage(error)) throw error
        tell(ctx, error)
        show(ctx, opened, error)
      }
    },
  }
}

const mustBeFor = (offer: SignUpOffer, email: string): void => {
  if (isFor(offer, email)) return
  throw new Problem('validation_failed', { fields: [{ path: 'email', code: 'not_invited', message: 'The invitation is for another address.' }] })
}

// What the pages between the first proof and the end of a sign-in do alike: read their forms, and go where the sign-in is.
import type { Context } from 'koa'
import type { z } from 'zod'
import { withSecondFactor } from '../mfa/authenticator.ts'
import { Problem } from '../platform/errors.ts'
import { type FormTokens, readForm } from '../platform/http/form.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { boundTo, type Interaction, type Interactions, isShownOnPage, type PageNeeds, type Progress } from './interaction.ts'
import { baseOf } from './place.ts'

interface FormNeeds<Fields extends z.ZodType<{ csrf: string }>> {
  readonly interactions: Interactions
  readonly forms: FormTokens
  readonly issuer: string
  readonly fields: Fields
}

/** Reads the form of a page for whoever is signing in; a Problem that its page can show comes back as a value. Whoever proved nothing yet is told of the Problem at once. */
export const readProofForm = async <Fields extends z.ZodType<{ csrf: string }>>(ctx: Context, { interactions, forms, issuer, fields }: FormNeeds<Fields>) => {
  const interaction = await interactions.get(ctx)
  const values = await readForm(ctx, { fields, issuer }).catch(asShown)
  const progress = await interactions.getProgress(ctx)
  if (!progress && values instanceof Problem) throw values
  // Where nobody is signing in there is nobody to act for: they go where the sign-in is.
  if (!progress || values instanceof Problem) return { interaction, given: values, progress }
  const verified = async () => {
    forms.verify(boundTo(interaction, progress.userId), values.csrf)
    return values
  }
  return { interaction, given: await verified().catch(asShown), progress }
}

const asShown = (error: unknown): Problem => {
  if (isShownOnPage(error)) return error
  throw error
}

interface Place {
  readonly interactions: Interactions
  readonly interaction: Interaction
  readonly progress: Progress | undefined
}

/** The address where the sign-in is by now: whoever proved nothing begins at the beginning. */
export const withProgress = async (ctx: Context, { interactions, interaction, progress }: Place): Promise<string> =>
  (progress ? await interactions.goOn(ctx) : await interactions.findPlace(ctx)) ?? `${baseOf(interaction)}/identifier`

/** Goes on after a second factor was proven: the browser is one of the person's from now on. */
export const goOnWithFactor = async (
  ctx: Context,
  { interactions, devices }: Pick<PageNeeds, 'interactions' | 'devices'>,
  factor: Parameters<Interactions['addFactor']>[1],
): Promise<void> => {
  devices.remember(ctx, factor.userId, withSecondFactor([], factor.amr))
  seeOther(ctx, await interactions.addFactor(ctx, factor))
}

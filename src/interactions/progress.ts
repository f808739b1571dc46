// What the pages between the first proof and the end of a sign-in do alike: read their forms, and go where the sign-in is.
import type { Context } from 'koa'
import type { z } from 'zod'
import { Problem } from '../platform/errors.ts'
import { type FormTokens, readForm } from '../platform/http/form.ts'
import { type Interaction, type Interactions, isShownOnPage, type Progress } from './interaction.ts'

interface FormNeeds<Fields extends z.ZodType<{ csrf: string }>> {
  readonly interactions: Interactions
  readonly forms: FormTokens
  readonly issuer: string
  readonly fields: Fields
}

/** Reads a page's form; a Problem that its page can show comes back as a value. Whoever proved nothing yet is told of the Problem at once. */
export const readProofForm = async <Fields extends z.ZodType<{ csrf: string }>>(ctx: Context, { interactions, forms, issuer, fields }: FormNeeds<Fields>) => {
  const interaction = await interactions.get(ctx)
  const read = async () => {
    const values = await readForm(ctx, { fields, issuer })
    forms.verify(interaction.uid, values.csrf)
    return values
  }
  const given = await read().catch((error: unknown) => {
    if (isShownOnPage(error)) return error
    throw error
  })
  const progress = await interactions.getProgress(ctx)
  if (!progress && given instanceof Problem) throw given
  return { interaction, given, progress }
}

interface Place {
  readonly interactions: Interactions
  readonly interaction: Interaction
  readonly progress: Progress | undefined
}

/** The address where the sign-in is by now: whoever proved nothing begins at the beginning. */
export const withProgress = async (ctx: Context, { interactions, interaction, progress }: Place): Promise<string> =>
  (progress ? await interactions.goOn(ctx) : await interactions.findPlace(ctx)) ?? `/interaction/${interaction.uid}/identifier`

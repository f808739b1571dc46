// Signing in by another provider: its button on the first page, and the way back from it.
import type { Context } from 'koa'
import { z } from 'zod'
import { tellCause } from '../connectors/cause.ts'
import { readReturn } from '../connectors/upstream.ts'
import { Problem } from '../platform/errors.ts'
import { readForm } from '../platform/http/form.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { text } from '../platform/http/text.ts'
import { type Interaction, isShownOnPage, type PageNeeds, visitor } from './interaction.ts'
import type { LastConnection } from './last-connection.ts'
import { isFor } from './sign-up-gate.ts'
import { bindingOf, type UpstreamStart } from './upstream-start.ts'

const form = z.strictObject({ csrf: text(200), connection: text(100) })

const neverAsked = new Date(0)

interface FirstPage {
  refuse(ctx: Context, interaction: Interaction, refusal: { problem: Problem }): Promise<void>
}

type Needs = PageNeeds & { readonly start: UpstreamStart; readonly lastConnection: LastConnection }

/** Makes the pages' handlers. Whatever goes wrong is told on the first page of the interaction. */
export const createConnectionPages = (needs: Needs, firstPage: FirstPage) => {
  const { interactions, start, forms, issuer, log } = needs
  const finish = createFinish(needs)
  const telling = (work: (ctx: Context, interaction: Interaction) => Promise<void>) => async (ctx: Context) => {
    const interaction = await interactions.get(ctx)
    try {
      await work(ctx, interaction)
    } catch (error) {
      if (!isShownOnPage(error)) throw error
      tellCause(log, error, ctx.state.requestId)
      // Nobody typed what is wrong here, so there is no field to tell it at.
      const problem = error.code === 'validation_failed' ? new Problem('connection_gone', { cause: error }) : error
      await firstPage.refuse(ctx, interaction, { problem })
    }
  }
  return {
    submit: telling(async (ctx, interaction) => {
      const { csrf, connection } = await readForm(ctx, { fields: form, issuer })
      forms.verify(interaction.uid, csrf)
      await start.byButton(ctx, interaction, connection)
    }),
    /** Goes where the client asks; `false` where the first page is to be shown. */
    goByHint: async (ctx: Context, interaction: Interaction): Promise<boolean> => {
      let isGone = false
      await telling(async () => {
        isGone = await start.byHint(ctx, interaction)
      })(ctx)
      return isGone || ctx.body !== undefined
    },
    finish: telling(finish),
  }
}

const createFinish =
  ({ interactions, upstream, upstreamSignIn, signUpGate, devices, lastConnection, pageLanguage, now }: Needs) =>
  async (ctx: Context, interaction: Interaction): Promise<void> => {
    const actor = visitor(ctx, pageLanguage.of(ctx))
    const at = now()
    const taken = await upstream
      .finish({ ...readReturn(ctx.query), binding: bindingOf(interaction) }, (method, { code }) => upstreamSignIn.noteRefused(actor, { method, reason: code }))
      .catch(async error => {
        // What was taken here already goes on where it went: the page was loaded again.
        const isTaken = error instanceof Problem && error.code === 'upstream_answer_invalid' && error.cause === undefined
        const place = isTaken ? await interactions.findPlace(ctx) : undefined
        if (place === undefined) throw error
        return { place }
      })
    if ('place' in taken) return seeOther(ctx, taken.place)
    const maySignUp = async (email: string) => {
      const offer = await signUpGate.find(ctx, interaction, 'upstream')
      return offer !== undefined && isFor(offer, email)
    }
    const { user, amr, tookOverAt = at } = await upstreamSignIn.prove(actor, { ...taken, maySignUp })
    const { authenticatedAt } = taken.identity
    // A provider may send on whoever sits at an open browser: only what it was made to ask is of now.
    const askedAt = taken.isAgain ? at : (authenticatedAt ?? neverAsked)
    const place = await interactions.finishLogin(ctx, { accountId: user.id, amr, isRemembered: true, at: tookOverAt, authenticatedAt, askedAt })
    devices.remember(ctx, user.id)
    lastConnection.write(ctx, { id: taken.connection.id })
    seeOther(ctx, place)
  }

// Signing in by another provider: its button on the first page, and the way back from it.
import type { Context } from 'koa'
import { z } from 'zod'
import { tellCause } from '../connectors/cause.ts'
import { readReturn } from '../connectors/upstream.ts'
import { Problem } from '../platform/errors.ts'
import { readForm } from '../platform/http/form.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { text } from '../platform/http/text.ts'
import { type Interaction, type Interactions, isShownOnPage, type PageNeeds, visitor } from './interaction.ts'
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
  /** What the work came to, or that it was told why it came to nothing. */
  const telling = async <Result>(ctx: Context, interaction: Interaction, work: () => Promise<Result>): Promise<Result | 'told'> => {
    try {
      return await work()
    } catch (error) {
      if (!isShownOnPage(error)) throw error
      tellCause(log, error)
      await firstPage.refuse(ctx, interaction, { problem: error })
      return 'told'
    }
  }
  return {
    submit: async (ctx: Context): Promise<void> => {
      const interaction = await interactions.get(ctx)
      await telling(ctx, interaction, async () => {
        const { csrf, connection } = await readPress(ctx, issuer)
        forms.verify(interaction.uid, csrf)
        await start.byButton(ctx, interaction, connection)
      })
    },
    /** Goes where the client asks; `false` where the first page is to be shown. */
    goByHint: async (ctx: Context, interaction: Interaction): Promise<boolean> =>
      (await telling(ctx, interaction, () => start.byHint(ctx, interaction))) !== false,
    finish: async (ctx: Context): Promise<void> => {
      const interaction = await interactions.get(ctx)
      await telling(ctx, interaction, () => finish(ctx, interaction))
    },
  }
}

// Nobody types into this form, so there is no field to tell at what is wrong: it names no connection.
const readPress = (ctx: Context, issuer: string) =>
  readForm(ctx, { fields: form, issuer }).catch(error => {
    const isMalformed = error instanceof Problem && error.code === 'validation_failed'
    throw isMalformed ? new Problem('connection_gone', { cause: error }) : error
  })

const createFinish =
  ({ interactions, upstream, upstreamSignIn, signUpGate, devices, lastConnection, findConnectionRule, pageLanguage, now }: Needs) =>
  async (ctx: Context, interaction: Interaction): Promise<void> => {
    const actor = visitor(ctx, pageLanguage.of(ctx))
    const at = now()
    const by = { ...readReturn(ctx.query), binding: bindingOf(interaction) }
    const proof = await upstream.finish(by, (method, { code }) => upstreamSignIn.noteRefused(actor, { method, reason: code }))
    if (proof === 'taken') return seeOther(ctx, await placeAgain(ctx, interactions))
    const maySignUp = async (email: string) => {
      const offer = await signUpGate.find(ctx, interaction, 'upstream')
      return offer !== undefined && isFor(offer, email)
    }
    const { organizationId: clientOrganizationId } = await findConnectionRule(interaction.clientId)
    const { user, amr, tookOverAt = at, identityId, confinedTo } = await upstreamSignIn.prove(actor, { ...proof, maySignUp, clientOrganizationId })
    const { authenticatedAt } = proof.identity
    // A provider may send on whoever sits at an open browser: only what it was made to ask is of now.
    const askedAt = proof.isAgain ? at : (authenticatedAt ?? neverAsked)
    const signed = { accountId: user.id, amr, isRemembered: true, at: tookOverAt, authenticatedAt, askedAt, identityId, confinedTo }
    const place = await interactions.finishLogin(ctx, signed)
    devices.remember(ctx, user.id)
    lastConnection.write(ctx, { id: proof.connection.id })
    seeOther(ctx, place)
  }

// What was taken here already goes on where it went: the page was loaded again.
const placeAgain = async (ctx: Context, interactions: Interactions): Promise<string> => {
  const place = await interactions.findPlace(ctx)
  if (place === undefined) throw new Problem('upstream_answer_invalid', { cause: new Error('there is no such answer in this interaction') })
  return place
}

// A form that is sent twice, as by a double click without script: the first answer may have ended the sign-in when the second form comes, and the
// browser shows only the second. Then the request is made once more, in which the session answers for what was just given.
import type { Context } from 'koa'
import { z } from 'zod'
import { Problem } from '../platform/errors.ts'
import { readForm } from '../platform/http/form.ts'
import { createSealedCookie } from '../platform/http/sealed-cookie.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { text } from '../platform/http/text.ts'
import { placeOf } from './asked-proof.ts'
import type { Interaction, PageNeeds } from './interaction.ts'

/** Leads what was sent twice where it led. */
export interface SentTwice {
  /** Remembers for whom a form leads on. */
  keep(ctx: Context, interaction: Interaction, accountId: string): void
  /** Runs a form's work; where the interaction is over, the form that ended it a moment ago goes on again, told by what its token is bound to. */
  taking(work: (ctx: Context) => Promise<void>, bindingOf: (ctx: Context) => string | undefined): (ctx: Context) => Promise<void>
}

const ttlSeconds = 60
const schema = z.object({ address: z.string(), accountId: z.string() })
const fields = z.looseObject({ csrf: text(200), decision: text(20).optional() })

/** Makes it. */
export const createSentTwice = ({ secrets, isSecure, forms, issuer, findBrowserSession }: PageNeeds): SentTwice => {
  const cookie = createSealedCookie({ name: 'sent', schema, secrets, isSecure, ttlSeconds })
  const findAgain = async (ctx: Context, binding: string | undefined): Promise<string | undefined> => {
    const sent = cookie.read(ctx, placeOf({ uid: String(ctx.params.uid) }))
    if (!sent || binding === undefined) return undefined
    // The form may have been read before it came out that all is over.
    const { csrf, decision } = ctx.request.body === undefined ? await readForm(ctx, { fields, issuer }) : fields.parse(ctx.request.body)
    forms.verify(binding, csrf)
    const session = await findBrowserSession(ctx)
    const isElse = session !== undefined && session.userId !== sent.accountId
    return isElse || decision === 'deny' ? undefined : sent.address
  }
  return {
    keep: (ctx, interaction, accountId) => {
      if (interaction.repeatedBy !== undefined) cookie.write(ctx, { address: interaction.repeatedBy, accountId }, placeOf(interaction))
    },
    taking: (work, bindingOf) => async ctx => {
      try {
        await work(ctx)
      } catch (error) {
        const isOver = error instanceof Problem && error.code === 'interaction_expired'
        const address = isOver ? await findAgain(ctx, bindingOf(ctx)) : undefined
        if (address === undefined) throw error
        seeOther(ctx, address)
      }
    },
  }
}

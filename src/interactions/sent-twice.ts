// A form that is sent twice, as by a double click without script: the first answer may have ended the sign-in when the second form comes, and the
// browser shows only the second. Then the request is made once more, in which the session answers for what was just given.
import type { Context } from 'koa'
import { z } from 'zod'
import { Problem } from '../platform/errors.ts'
import { readForm } from '../platform/http/form.ts'
import { createSealedCookie } from '../platform/http/sealed-cookie.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { text } from '../platform/http/text.ts'
import type { Interaction, PageNeeds } from './interaction.ts'
import { placeOf } from './place.ts'

/** The forms of pages by which a sign-in may end, each page known by the tokens of its own. */
export interface SentTwice {
  /** Makes the token of a page's forms, which is of this very page: the same page in another tab has another. */
  issue(binding: string): string
  /** Throws `csrf_mismatch`. */
  verify(binding: string, token: string): void
  /** Remembers the form that leads on, and for whom. */
  keep(ctx: Context, interaction: Interaction, sent: { readonly csrf: string; readonly accountId: string }): void
  /** Runs a form's work; where the interaction is over, the same form that ended it a moment ago goes on. */
  taking(work: (ctx: Context) => Promise<void>): (ctx: Context) => Promise<void>
}

const ttlSeconds = 30
const schema = z.object({ address: z.string(), csrf: z.string(), accountId: z.string() })
const fields = z.looseObject({ csrf: text(200), decision: text(20).optional() })

/** Makes it. */
export const createSentTwice = ({ secrets, isSecure, forms, issuer, newId, findBrowserSession }: PageNeeds & { readonly newId: () => string }): SentTwice => {
  const cookie = createSealedCookie({ name: 'sent', schema, secrets, isSecure, ttlSeconds })
  const findAgain = async (ctx: Context): Promise<string | undefined> => {
    const sent = cookie.read(ctx, placeOf({ uid: String(ctx.params.uid) }))
    if (!sent) return undefined
    // The form may have been read before it came out that all is over.
    const { csrf, decision } = ctx.request.body === undefined ? await readForm(ctx, { fields, issuer }) : fields.parse(ctx.request.body)
    const session = await findBrowserSession(ctx)
    const isElse = session !== undefined && session.userId !== sent.accountId
    return csrf !== sent.csrf || isElse || decision === 'deny' ? undefined : sent.address
  }
  return {
    issue: binding => {
      const page = newId()
      return `${page}.${forms.issue(`${binding}\0${page}`)}`
    },
    verify: (binding, token) => {
      const [page = '', proof = ''] = token.split('.')
      forms.verify(`${binding}\0${page}`, proof)
    },
    keep: (ctx, interaction, sent) => {
      if (interaction.repeatedBy !== undefined) cookie.write(ctx, { address: interaction.repeatedBy, ...sent }, placeOf(interaction))
    },
    taking: work => async ctx => {
      try {
        await work(ctx)
      } catch (error) {
        const isOver = error instanceof Problem && error.code === 'interaction_expired'
        const address = isOver ? await findAgain(ctx) : undefined
        if (address === undefined) throw error
        seeOther(ctx, address)
      }
    },
  }
}

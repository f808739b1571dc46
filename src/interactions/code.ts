// The code that was mailed, typed where it was asked for; and the link beside it, which asks before it acts, for mail scanners follow links.
import { setTimeout } from 'node:timers/promises'
import type { Context } from 'koa'
import { z } from 'zod'
import { Problem } from '../platform/errors.ts'
import { readForm, tokenOnly } from '../platform/http/form.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { text } from '../platform/http/text.ts'
import type { AskedProof, ProofCookie, RedeemedCookie } from './asked-proof.ts'
import { boundTo, type Interaction, isShownOnPage, type PageNeeds, visitor } from './interaction.ts'
import { baseOf, placeOf } from './place.ts'
import { tell } from './tell.ts'

const remember = z.enum(['yes', 'on']).optional()
const codeForm = z.strictObject({ csrf: text(200), code: text(40).trim().min(1), remember })
const linkForm = z.strictObject({ csrf: text(200), remember })
const tokenShape = /^[\w-]{43}$/

type Needs = PageNeeds & { readonly cookie: ProofCookie; readonly redeemed: RedeemedCookie }

/** Makes the pages' handlers. */
export const createCodePages = (needs: Needs) => {
  const { interactions, proofs, devices, present, pageLanguage, forms, signUpGate, issuer, cookie, redeemed } = needs
  const finish = createFinish(needs)
  const bindingOf = (interaction: Interaction, { email, purpose }: AskedProof) => boundTo(interaction, `${purpose}\0${email}`)
  const common = (interaction: Interaction, proof: AskedProof) => ({
    csrf: forms.issue(bindingOf(interaction, proof)),
    email: proof.email,
    reason: proof.purpose,
    client: interaction.client,
  })
  const show = (ctx: Context, interaction: Interaction, asked: AskedProof, problem?: Problem) =>
    present(ctx, 'code', {
      ...common(interaction, asked),
      action: `${baseOf(interaction)}/code`,
      resendAction: `${baseOf(interaction)}/code/resend`,
      changeUrl: `${baseOf(interaction)}/${asked.purpose === 'sign_up' ? 'sign-up' : 'identifier'}`,
      isResent: asked.isResent,
      cancelAction: `${baseOf(interaction)}/cancel`,
      cancelCsrf: forms.issue(interaction.uid),
      problem,
    })
  const showLink = (ctx: Context, interaction: Interaction, asked: AskedProof, problem?: Problem) =>
    present(ctx, 'code-link', {
      ...common(interaction, asked),
      action: `${baseOf(interaction)}/code/link`,
      codeUrl: `${baseOf(interaction)}/code`,
      problem,
    })
  const ask = async (ctx: Context, interaction: Interaction, { purpose, email, pending }: Omit<AskedProof, 'id'>, isResent: boolean) => {
    const id = await proofs.askHere(visitor(ctx, pageLanguage.of(ctx)), {
      purpose,
      email,
      binding: interaction.uid,
      linkPath: `${baseOf(interaction)}/code`,
      device: devices.read(ctx),
    })
    cookie.write(ctx, { purpose, id, email, pending, isResent }, placeOf(interaction))
    seeOther(ctx, `${baseOf(interaction)}/code`)
  }
  /** Runs with what was asked for; a Problem is told on the page it came from. */
  const asked =
    (work: (ctx: Context, interaction: Interaction, asked: AskedProof) => Promise<void>, showAgain = show) =>
    async (ctx: Context) => {
      const interaction = await interactions.get(ctx)
      const proof = cookie.read(ctx, placeOf(interaction))
      // What was redeemed here goes on where it went the first time.
      if (!proof) return seeOther(ctx, (await redeemedPlace(ctx, needs, interaction)) ?? baseOf(interaction))
      if (proof.purpose === 'sign_up') await signUpGate.get(ctx, interaction, proof.email)
      try {
        await work(ctx, interaction, proof)
      } catch (error) {
        if (!isShownOnPage(error)) throw error
        tell(ctx, error)
        showAgain(ctx, interaction, proof, error)
      }
    }

  return {
    /** Mails a code to sign in by. */
    start: (ctx: Context, interaction: Interaction, email: string) => ask(ctx, interaction, { purpose: 'sign_in', email }, false),
    show: asked(async (ctx, interaction, proof) => show(ctx, interaction, proof)),
    submit: asked(async (ctx, interaction, proof) => {
      const { csrf, code, remember } = await readForm(ctx, { fields: codeForm, issuer })
      forms.verify(bindingOf(interaction, proof), csrf)
      await finish(ctx, interaction, { proof, given: { code }, isRemembered: remember !== undefined })
    }),
    resend: asked(async (ctx, interaction, proof) => {
      const { csrf } = await readForm(ctx, { fields: tokenOnly, issuer })
      forms.verify(bindingOf(interaction, proof), csrf)
      await ask(ctx, interaction, proof, true)
    }),
    /** The secret leaves the address at once. In another browser than the one that asked the link is told to be good for nothing. */
    openLink: async (ctx: Context) => {
      const interaction = await here(interactions.get(ctx))
      const proof = interaction && cookie.read(ctx, placeOf(interaction))
      if (!proof) {
        const place = interaction && (await redeemedPlace(ctx, needs, interaction))
        if (place) return seeOther(ctx, place)
        const isRedeemed = redeemed.read(ctx, placeOf({ uid: String(ctx.params.uid) })) !== undefined
        ctx.status = 400
        return present(ctx, 'error', { kind: isRedeemed ? 'link_used' : 'link_elsewhere' })
      }
      // A link that was cut is none: the code beside it is still good.
      if (!tokenShape.test(ctx.params.token ?? '')) return seeOther(ctx, `${baseOf(interaction)}/code`)
      cookie.write(ctx, { ...proof, token: ctx.params.token }, placeOf(interaction))
      seeOther(ctx, `${baseOf(interaction)}/code/link`)
    },
    showLink: asked(async (ctx, interaction, proof) => {
      if (proof.token === undefined) return seeOther(ctx, `${baseOf(interaction)}/code`)
      showLink(ctx, interaction, proof)
    }),
    submitLink: asked(async (ctx, interaction, proof) => {
      const { csrf, remember } = await readForm(ctx, { fields: linkForm, issuer })
      forms.verify(bindingOf(interaction, proof), csrf)
      await finish(ctx, interaction, { proof, given: { token: proof.token ?? '' }, isRemembered: remember !== undefined })
    }, showLink),
  }
}

/** The interaction, where this browser has it. */
const here = async (found: Promise<Interaction>): Promise<Interaction | undefined> => {
  try {
    return await found
  } catch (error) {
    if (error instanceof Problem && error.code === 'interaction_expired') return undefined
    throw error
  }
}

interface Answered {
  readonly proof: AskedProof
  readonly given: { readonly code: string } | { readonly token: string }
  readonly isRemembered: boolean
}

/** Where the proof led that was redeemed in this interaction by this browser. */
const redeemedPlace = async (ctx: Context, { interactions, redeemed }: Needs, interaction: Interaction): Promise<string | undefined> => {
  const known = redeemed.read(ctx, placeOf(interaction))
  return known && interactions.findPlace(ctx, { challengeId: known.id })
}

const createFinish =
  ({ interactions, emailCode, provenSignUp, proofs, devices, offers, pageLanguage, cookie, redeemed, now }: Needs) =>
  async (ctx: Context, interaction: Interaction, { proof: { purpose, id, pending }, given, isRemembered }: Answered) => {
    if (purpose === 'sign_in' && !offers.emailCode) throw new Problem('not_found')
    const answer = { id, binding: interaction.uid, given }
    const prove = async () => {
      if (purpose === 'sign_in') return emailCode.prove(visitor(ctx), answer)
      if (!pending) throw new Problem('proof_expired')
      return provenSignUp.finish(visitor(ctx, pageLanguage.of(ctx)), { ...answer, pending })
    }
    const goOn = (place: string) => {
      redeemed.write(ctx, { id }, placeOf(interaction))
      cookie.clear(ctx, placeOf(interaction))
      seeOther(ctx, place)
    }
    const known = await interactions.findPlace(ctx, { challengeId: id })
    if (known) return goOn(known)
    try {
      const at = now()
      const { user, amr, tookOverAt = at } = await prove()
      devices.remember(ctx, user.id)
      goOn(await interactions.finishLogin(ctx, { accountId: user.id, amr, isRemembered, at: tookOverAt, challengeId: id }))
    } catch (error) {
      const isDead = error instanceof Problem && error.code === 'proof_expired'
      const place = isDead && (await proofs.isUsed(id)) ? await soon(() => interactions.findPlace(ctx, { challengeId: id })) : undefined
      if (!place) throw error
      goOn(place)
    }
  }

// The same answer, sent twice at once, is redeemed by one, which takes a moment to come where it goes on.
const soon = async (find: () => Promise<string | undefined>): Promise<string | undefined> => {
  for (let round = 0; round < 20; round += 1) {
    const found = await find()
    if (found !== undefined) return found
    await setTimeout(100)
  }
  return undefined
}

// Signing in: the identifier first, then the password. The identifier travels in a sealed cookie, never in an address.
import type { Context } from 'koa'
import { z } from 'zod'
import type { Problem } from '../platform/errors.ts'
import { readForm } from '../platform/http/form.ts'
import { text } from '../platform/http/text.ts'
import { type Interaction, isShownOnPage, type PageNeeds, seeOther, visitor } from './interaction.ts'

const identifierForm = z.strictObject({ csrf: text(200), username: text(320).trim().min(1, 'Enter your email address.') })
const passwordForm = z.strictObject({
  csrf: text(200),
  username: text(320).optional(),
  password: text(1024).min(1, 'Enter your password.'),
  remember: z.enum(['yes', 'on']).optional(),
})
const identifierCookie = 'identifier'

/** Makes the pages' handlers. */
export const createLoginPages = ({ interactions, signIn, present, forms, devices, secrets, issuer, isSecure, now }: PageNeeds) => {
  const base = (interaction: Interaction) => `/interaction/${interaction.uid}`
  const common = (interaction: Interaction) => ({ csrf: forms.issue(interaction.uid), client: interaction.client, cancelAction: `${base(interaction)}/cancel` })

  const keep = (ctx: Context, interaction: Interaction, identifier: string) =>
    ctx.cookies.set(identifierCookie, secrets.seal('form', identifier, interaction.uid), {
      httpOnly: true,
      sameSite: 'lax',
      secure: isSecure,
      signed: false,
      overwrite: true,
      path: base(interaction),
    })
  const kept = (ctx: Context, interaction: Interaction): string | undefined => {
    const sealed = ctx.cookies.get(identifierCookie, { signed: false })
    try {
      return sealed ? secrets.unseal('form', sealed, interaction.uid) : undefined
    } catch {
      return undefined // somebody changed their own cookie: they are asked again
    }
  }

  const showIdentifier = (ctx: Context, interaction: Interaction, problem?: Problem) =>
    present(ctx, 'identifier', {
      ...common(interaction),
      action: `${base(interaction)}/identifier`,
      username: kept(ctx, interaction) ?? interaction.loginHint,
      connections: [],
      ...faults(problem),
    })

  const showPasswordFor = (
    ctx: Context,
    interaction: Interaction,
    { username, problem, isRemembered = true }: { username: string; problem?: Problem; isRemembered?: boolean },
  ) =>
    present(ctx, 'password', {
      ...common(interaction),
      action: `${base(interaction)}/password`,
      changeUrl: `${base(interaction)}/identifier`,
      username,
      canRemember: true,
      remember: isRemembered,
      ...faults(problem),
    })

  return {
    showIdentifier: (ctx: Context, interaction: Interaction) => showIdentifier(ctx, interaction),
    submitIdentifier: async (ctx: Context) => {
      const interaction = await interactions.get(ctx)
      try {
        const { csrf, username } = await readForm(ctx, { fields: identifierForm, issuer })
        forms.verify(interaction.uid, csrf)
        keep(ctx, interaction, username)
        seeOther(ctx, `${base(interaction)}/password`)
      } catch (error) {
        if (!isShownOnPage(error)) throw error
        tell(ctx, error)
        showIdentifier(ctx, interaction, error)
      }
    },
    showPassword: async (ctx: Context) => {
      const interaction = await interactions.get(ctx)
      const username = kept(ctx, interaction)
      if (username === undefined) return seeOther(ctx, base(interaction))
      showPasswordFor(ctx, interaction, { username })
    },
    submitPassword: async (ctx: Context) => {
      const interaction = await interactions.get(ctx)
      const username = kept(ctx, interaction)
      if (username === undefined) return seeOther(ctx, base(interaction))
      let isRemembered = true
      try {
        const { csrf, password, remember } = await readForm(ctx, { fields: passwordForm, issuer })
        isRemembered = remember !== undefined
        forms.verify(interaction.uid, csrf)
        const { user, amr } = await signIn.prove(visitor(ctx), { identifier: username, password, device: devices.read(ctx) })
        devices.remember(ctx, user.id)
        seeOther(ctx, await interactions.finishLogin(ctx, { accountId: user.id, amr, isRemembered, at: now() }))
      } catch (error) {
        if (!isShownOnPage(error)) throw error
        tell(ctx, error)
        showPasswordFor(ctx, interaction, { username, problem: error, isRemembered })
      }
    },
  }
}

/** Says by the status what is wrong, and when to come again. */
export const tell = (ctx: Context, problem: Problem) => {
  ctx.status = problem.status
  if (problem.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(problem.retryAfterSeconds))
}

/** What a page shows of a Problem. */
export const faults = (problem: Problem | undefined) => {
  if (!problem) return {}
  if (problem.code === 'too_many_attempts') return { error: `Too many attempts. Try again in ${inWords(problem.retryAfterSeconds ?? 60)}.` }
  if (!problem.fields) return { error: problem.message }
  return { fieldErrors: Object.fromEntries(problem.fields.map(({ path, message }) => [path, message])) }
}

const inWords = (seconds: number) => {
  const minutes = Math.ceil(seconds / 60)
  return minutes === 1 ? 'a minute' : `${minutes} minutes`
}

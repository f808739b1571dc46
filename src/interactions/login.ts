// Signing in: the identifier first, then the password. The identifier travels in a sealed cookie, never in an address.
import type { Context } from 'koa'
import { z } from 'zod'
import { tellCause } from '../connectors/cause.ts'
import { Problem } from '../platform/errors.ts'
import { readForm, tokenOnly, typedIn } from '../platform/http/form.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { text } from '../platform/http/text.ts'
import { boundTo, type Interaction, isShownOnPage, type PageNeeds, visitor } from './interaction.ts'
import type { LastConnection } from './last-connection.ts'
import { baseOf } from './place.ts'
import type { SentTwice } from './sent-twice.ts'
import { tell } from './tell.ts'
import type { UpstreamStart } from './upstream-start.ts'

const identifierForm = z.strictObject({ csrf: text(200), username: text(320).trim().min(1) })
const passwordForm = z.strictObject({
  csrf: text(200),
  username: text(320).optional(),
  password: text(1024).min(1),
  remember: z.enum(['yes', 'on']).optional(),
})
type Needs = PageNeeds & {
  readonly startCode: (ctx: Context, interaction: Interaction, email: string) => Promise<void>
  readonly start: UpstreamStart
  readonly lastConnection: LastConnection
  readonly sentTwice: SentTwice
}

/** What the first page says of what was done before it. */
interface Told {
  readonly problem?: Problem
  readonly unknownPasskey?: string
  /** Whom this very request named. */
  readonly named?: string | undefined
}

/** Makes the pages' handlers. */
export const createLoginPages = (needs: Needs) => {
  const { interactions, users, signIn, present, forms, devices, identifiers, offers, signUpGate, issuer, now, startCode, start, lastConnection, sentTwice } =
    needs

  /** The address that is likely theirs; none for who says that they are somebody else. */
  const knownFor = async (ctx: Context, interaction: Interaction) => {
    if (ctx.query.change !== undefined) return undefined
    const { againId, loginHint } = interaction
    return identifiers.kept(ctx, interaction) ?? loginHint ?? (againId && (await users.find(againId))?.email)
  }

  const showIdentifier = async (ctx: Context, interaction: Interaction, { problem, unknownPasskey, named }: Told = {}) => {
    const offer = await signUpGate.find(ctx, interaction)
    const known = await knownFor(ctx, interaction)
    present(ctx, 'identifier', {
      client: interaction.client,
      csrf: forms.issue(interaction.uid),
      cancelAction: `${baseOf(interaction)}/cancel`,
      action: `${baseOf(interaction)}/identifier`,
      username: typedIn(ctx, 'username') ?? known,
      changeUrl: known === undefined ? undefined : `${baseOf(interaction)}/identifier?change`,
      connections: (await start.buttons(interaction)).map(button => ({ ...button, isLastUsed: button.id === lastConnection.read(ctx)?.id })),
      connectionAction: `${baseOf(interaction)}/connection`,
      ...waysPast(interaction, isUpstream(problem) ? (named ?? identifiers.kept(ctx, interaction)) : undefined),
      problem,
      passkey: { action: `${baseOf(interaction)}/passkey`, optionsUrl: `${baseOf(interaction)}/passkey/options`, unknownId: unknownPasskey },
      signUpUrl: offer ? `${baseOf(interaction)}/sign-up` : undefined,
    })
  }

  /** Whoever another provider did not let in can come by whatever else is offered. */
  const waysPast = (interaction: Interaction, username: string | undefined) => {
    if (username === undefined) return {}
    const emailCode = { emailCodeAction: `${baseOf(interaction)}/email-code`, emailCodeCsrf: sentTwice.issue(boundTo(interaction, username)) }
    return { ...(offers.password ? { passwordUrl: `${baseOf(interaction)}/password` } : {}), ...(offers.emailCode ? emailCode : {}) }
  }

  const showPasswordFor = (
    ctx: Context,
    interaction: Interaction,
    { username, problem, isRemembered = true }: { username: string; problem?: Problem; isRemembered?: boolean },
  ) =>
    present(ctx, 'password', {
      client: interaction.client,
      csrf: sentTwice.issue(boundTo(interaction, username)),
      action: `${baseOf(interaction)}/password`,
      changeUrl: `${baseOf(interaction)}/identifier`,
      forgotUrl: offers.recovery ? `${baseOf(interaction)}/recovery` : undefined,
      emailCodeAction: offers.emailCode ? `${baseOf(interaction)}/email-code` : undefined,
      username,
      cancelAction: `${baseOf(interaction)}/cancel`,
      cancelCsrf: forms.issue(interaction.uid),
      canRemember: true,
      remember: isRemembered,
      problem,
    })

  const open = async (ctx: Context) => {
    if (!offers.password) throw new Problem('not_found')
    return interactions.get(ctx)
  }

  return {
    showIdentifier: (ctx: Context, interaction: Interaction) => showIdentifier(ctx, interaction),
    /** Shows the first page with what went wrong elsewhere on it. */
    refuse: (ctx: Context, interaction: Interaction, refusal: { problem: Problem; unknownPasskey?: string }) => {
      tell(ctx, refusal.problem)
      return showIdentifier(ctx, interaction, refusal)
    },
    submitIdentifier: async (ctx: Context) => {
      const interaction = await interactions.get(ctx)
      let named: string | undefined
      try {
        const { csrf, username } = await readForm(ctx, { fields: identifierForm, issuer })
        forms.verify(interaction.uid, csrf)
        identifiers.keep(ctx, interaction, username)
        named = username
        if (await start.byAddress(ctx, interaction, username)) return
        if (offers.password) seeOther(ctx, `${baseOf(interaction)}/password`)
        else await startCode(ctx, interaction, username)
      } catch (error) {
        if (!isShownOnPage(error)) throw error
        tellCause(needs.log, error)
        tell(ctx, error)
        await showIdentifier(ctx, interaction, { problem: error, named })
      }
    },
    showPassword: async (ctx: Context) => {
      const interaction = await open(ctx)
      const username = identifiers.kept(ctx, interaction)
      if (username === undefined) return seeOther(ctx, baseOf(interaction))
      showPasswordFor(ctx, interaction, { username })
    },
    submitPassword: sentTwice.taking(async ctx => {
      const interaction = await open(ctx)
      const username = identifiers.kept(ctx, interaction)
      if (username === undefined) return seeOther(ctx, baseOf(interaction))
      let isRemembered = true
      try {
        const { csrf, password, remember } = await readForm(ctx, { fields: passwordForm, issuer })
        isRemembered = remember !== undefined
        sentTwice.verify(boundTo(interaction, username), csrf)
        const at = now()
        const { user, amr } = await signIn.prove(visitor(ctx), { identifier: username, password, device: devices.read(ctx) })
        devices.remember(ctx, user.id)
        const place = await interactions.finishLogin(ctx, { accountId: user.id, amr, isRemembered, at })
        sentTwice.keep(ctx, interaction, { csrf, accountId: user.id })
        seeOther(ctx, place)
      } catch (error) {
        if (!isShownOnPage(error)) throw error
        tell(ctx, error)
        showPasswordFor(ctx, interaction, { username, problem: error, isRemembered })
      }
    }),
    /** Mails a code to whom the identifier page named, instead of the password or of a provider that did not let them in. */
    submitEmailCode: async (ctx: Context) => {
      if (!offers.emailCode) throw new Problem('not_found')
      const interaction = await interactions.get(ctx)
      const username = identifiers.kept(ctx, interaction)
      if (username === undefined) return seeOther(ctx, baseOf(interaction))
      try {
        const { csrf } = await readForm(ctx, { fields: tokenOnly, issuer })
        sentTwice.verify(boundTo(interaction, username), csrf)
        await startCode(ctx, interaction, username)
      } catch (error) {
        if (!isShownOnPage(error)) throw error
        tell(ctx, error)
        if (offers.password) showPasswordFor(ctx, interaction, { username, problem: error })
        else await showIdentifier(ctx, interaction, { problem: error })
      }
    },
  }
}

const isUpstream = (problem: Problem | undefined): boolean =>
  problem !== undefined && (problem.code.startsWith('upstream_') || problem.code === 'connection_gone')

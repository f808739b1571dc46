// The pages of the account centre, each a value: what it shows and what its form does.

import { z } from 'zod'
import type { SignUp } from '../authentication/sign-up.ts'
import type { ClientSource } from '../clients/client.ts'
import { shownNames } from '../clients/shown-names.ts'
import type { Members } from '../organizations/members.ts'
import { organizationIdSchema } from '../organizations/organization.ts'
import type { PageSession } from '../pages/account-locals.ts'
import type { PageLanguage } from '../pages/page-language.ts'
import type { ShowAccess } from '../pages/shown-access.ts'
import { deviceOf } from '../platform/http/device.ts'
import { typedIn } from '../platform/http/form.ts'
import { mailedName, text } from '../platform/http/text.ts'
import type { Language, Languages } from '../platform/languages.ts'
import type { ApiSessions } from '../sessions/api-sessions.ts'
import type { Session } from '../sessions/session.ts'
import type { UserAdministration } from '../users/administration.ts'
import type { EmailChanges } from '../users/email-change.ts'
import { type AccountPageRoute, accountPage } from './page.ts'
import { parsed } from './parsed.ts'

/** What a person has let a client do; the protocol's entrance gives these. */
export interface Consent {
  readonly clientId: string
  readonly name: string
  readonly source: ClientSource
  readonly agentOf?: string | undefined
  readonly logoUrl?: string
  readonly organization?: { readonly id: string; readonly name: string }
  readonly scopes: readonly string[]
  readonly claims: readonly string[]
  readonly resources: Readonly<Record<string, readonly string[]>>
  readonly grantedAt: Date
}

/** What the pages need. */
export interface AccountNeeds {
  readonly userAdministration: UserAdministration
  readonly signUp: SignUp
  readonly emailChanges: EmailChanges
  readonly apiSessions: ApiSessions
  readonly members: Members
  readonly languages: Languages
  readonly pageLanguage: PageLanguage
  readonly showAccess: ShowAccess
  readonly hasPassword: (userId: string) => Promise<boolean>
  /** Whether people sign in by passwords at all. */
  readonly isPasswordOffered: boolean
  readonly passwordMinLength: number
  readonly consents: {
    list(userId: string): Promise<readonly Consent[]>
    revoke(actor: AccountActor, consent: { readonly userId: string; readonly clientId: string; readonly organizationId?: string | null }): Promise<void>
  }
}
type AccountActor = Parameters<ApiSessions['endOthers']>[0]

const shownSessions = 100

/** Makes them, in the order of the menu. */
export const createAccountPages = (needs: AccountNeeds): readonly AccountPageRoute[] => [
  profile(needs),
  ...(needs.isPasswordOffered ? [password(needs)] : []),
  email(needs),
  sessions(needs),
  apps(needs),
  organizations(needs),
]

const profile = ({ userAdministration, languages, pageLanguage }: AccountNeeds) =>
  accountPage({
    path: '/account/profile',
    view: 'account-profile',
    isSensitive: false,
    show: async (ctx, { user: { id } }) => {
      const { name, email, isEmailVerified, locale } = await userAdministration.get(id)
      const typed = { name: typedIn(ctx, 'name') ?? name, locale: typedIn(ctx, 'locale') ?? locale }
      return { ...typed, email, isEmailVerified, locales: languages.list.map(({ tag, name }) => ({ tag, name })) }
    },
    submit: async (ctx, { user, actor }, form) => {
      const fields = z.strictObject({ name: text(200).trim().transform(nothing).pipe(mailedName(200).nullable()), locale: z.enum(['', ...languages.tags]) })
      const { name, locale } = parsed(fields, form)
      await userAdministration.update(actor, user.id, { name, locale: locale || null })
      if (locale) pageLanguage.remember(ctx, { tag: locale, path: '/account/profile' })
      else pageLanguage.forget(ctx)
      return { done: 'saved' }
    },
  })

const password = ({ signUp, hasPassword, passwordMinLength }: AccountNeeds) =>
  accountPage({
    path: '/account/password',
    view: 'account-password',
    isSensitive: true,
    show: async (_ctx, { user }) => ({ username: user.email, hasPassword: await hasPassword(user.id), minLength: passwordMinLength }),
    submit: async (_ctx, { user, actor }, form) => {
      const fields = z.strictObject({ username: text(320).optional(), current_password: text(1024).min(1), new_password: text(1024).min(1) })
      const { current_password: currentPassword, new_password: newPassword } = parsed(fields, form)
      await signUp.changePassword(actor, { user, currentPassword, newPassword })
      return { done: 'password' }
    },
  })

const email = ({ emailChanges }: AccountNeeds) =>
  accountPage({
    path: '/account/email',
    view: 'account-email',
    isSensitive: true,
    show: async (ctx, { user: { email, isEmailVerified } }) => ({ email, isEmailVerified, newEmail: typedIn(ctx, 'email') }),
    submit: async (_ctx, { user, actor }, form) => {
      const { email } = parsed(z.strictObject({ email: text(320).trim().min(1) }), form)
      const { isFromBoth } = await emailChanges.request(actor, { user, email })
      return { done: isFromBoth ? 'email_sent_both' : 'email_sent' }
    },
  })

const sessions = ({ apiSessions, pageLanguage }: AccountNeeds) =>
  accountPage({
    path: '/account/sessions',
    view: 'account-sessions',
    isSensitive: false,
    show: async (ctx, { user, sid }) => {
      const { rows } = await apiSessions.list(user.id, { limit: shownSessions })
      const { t } = pageLanguage.of(ctx)
      const shown = rows.map(session => toPageSession(session, { currentSid: sid, t }))
      return { sessions: shown.toSorted((one, other) => Number(other.isCurrent) - Number(one.isCurrent)) }
    },
    submit: async (_ctx, { user, actor, sid }, form) => {
      const { session } = parsed(z.strictObject({ session: z.union([z.uuid(), z.literal('others')]) }), form)
      if (session === 'others') await apiSessions.endOthers(actor, { userId: user.id, exceptSid: sid })
      else await apiSessions.end(actor, { userId: user.id, id: session })
      return { done: 'signed_out' }
    },
  })

const apps = ({ consents, pageLanguage, showAccess }: AccountNeeds) =>
  accountPage({
    path: '/account/apps',
    view: 'account-apps',
    isSensitive: false,
    show: async (ctx, { user }) => {
      const { t } = pageLanguage.of(ctx)
      const toShown = async ({ clientId, name, source, agentOf, logoUrl, organization, grantedAt, ...access }: Consent) => ({
        id: clientId,
        organization: organization && { id: organization.id, name: organization.name },
        client: { ...shownNames({ clientId, name, source }), logoUrl, agentOf },
        ...(await showAccess(access, t)),
        grantedAt: grantedAt.getTime(),
      })
      return { apps: await Promise.all((await consents.list(user.id)).map(toShown)) }
    },
    submit: async (_ctx, { user, actor }, form) => {
      const { client, organization } = parsed(z.strictObject({ client: text(255), organization: z.union([z.uuid(), z.literal('')]) }), form)
      await consents.revoke(actor, { userId: user.id, clientId: client, organizationId: organization || null })
      return { done: 'revoked' }
    },
  })

const organizations = ({ members }: AccountNeeds) =>
  accountPage({
    path: '/account/organizations',
    view: 'account-organizations',
    isSensitive: false,
    show: async (_ctx, { user }) => ({
      organizations: (await members.listOfUser(user.id)).map(({ organization: { id, name }, role }) => ({ id, name, role })),
    }),
    submit: async (_ctx, { user, actor }, form) => {
      const { organization: organizationId } = parsed(z.strictObject({ organization: organizationIdSchema }), form)
      await members.remove(actor, { organizationId, userId: user.id })
      return { done: 'left' }
    },
  })

// A field that is emptied takes the name away.
const nothing = (typed: string) => typed || null

const toPageSession = (
  { id, sid, ip, userAgent, kind, lastSeenAt, createdAt }: Session,
  { currentSid, t }: { currentSid: string; t: Language['t'] },
): PageSession => {
  const { browser, system } = deviceOf(userAgent)
  return {
    id,
    device: browser && system ? t('account.sessions.device', { browser, system }) : t('account.sessions.unknown'),
    ip,
    isApi: kind === 'api',
    isCurrent: sid === currentSid,
    seenAt: lastSeenAt.getTime(),
    startedAt: createdAt.getTime(),
  }
}

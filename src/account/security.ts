// The ways to sign in besides the password, for their owner: listed, named, removed.
import type { Context } from 'koa'
import { z } from 'zod'
import { isUnnamed } from '../mfa/authenticator-row.ts'
import type { Authenticators } from '../mfa/authenticators.ts'
import type { Passkeys } from '../mfa/passkeys.ts'
import type { RecoveryCodes } from '../mfa/recovery-codes.ts'
import type { PageLanguage } from '../pages/page-language.ts'
import { typedIn } from '../platform/http/form.ts'
import { text, words } from '../platform/http/text.ts'
import type { Done } from './done.ts'
import { accountPage } from './page.ts'
import { parsed } from './parsed.ts'
import { type CodesToShow, securityPath } from './recovery-codes.ts'

/** What the page needs. */
export interface SecurityNeeds {
  readonly authenticators: Authenticators
  readonly passkeys: Passkeys
  readonly recoveryCodes: RecoveryCodes
  readonly pageLanguage: PageLanguage
}

const maxLabel = 100
const renaming = z.strictObject({ rename: z.uuid(), label: words(maxLabel) })
const other = z.union([z.strictObject({ remove: z.uuid() }), z.strictObject({ codes: z.literal('new') })])
const isRenaming = z.looseObject({ rename: text(100) })

/** Makes it. */
export const createSecurityPage = ({
  authenticators,
  passkeys,
  recoveryCodes,
  pageLanguage,
  codesToShow,
  done,
}: SecurityNeeds & { readonly codesToShow: CodesToShow; readonly done: Done }) =>
  accountPage({
    path: securityPath,
    view: 'account-security',
    isSensitive: true,
    show: async (ctx, { user, sid }) => {
      const { t } = pageLanguage.of(ctx)
      const factors = await authenticators.list(user.id)
      const { left } = await recoveryCodes.count(user.id)
      return {
        factors: factors.map(({ id, name, kind, createdAt }) => ({
          id,
          name: isUnnamed({ kind, name }) ? t('account.security.kind', { kind }) : name,
          kind,
          createdAt: createdAt.getTime(),
        })),
        hasCodes: factors.length > 0,
        codesLeft: left,
        renaming: renamedOf(ctx),
        label: typedIn(ctx, 'label'),
        enrolledUrl: done.addressOf({ sid }, { path: securityPath, key: 'passkey_added' }),
      }
    },
    submit: async (ctx, { user, actor }, given) => {
      if (isRenaming.safeParse(given).success) {
        const { rename: id, label } = parsed(renaming, given)
        await passkeys.rename(actor, { userId: user.id, id, name: label })
        return { done: 'saved' }
      }
      const asked = parsed(other, given)
      if ('codes' in asked) {
        codesToShow.goShow(ctx, { userId: user.id, codes: await recoveryCodes.issue(actor, user.id) })
        return { answered: true }
      }
      await authenticators.remove(actor, { user, id: asked.remove })
      return { done: 'factor_removed' }
    },
  })

// The one whose new name was not taken stays open.
const renamedOf = (ctx: Context): string | undefined => isRenaming.safeParse(ctx.request.body).data?.rename

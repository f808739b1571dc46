// One's data to take away, and the end of one's account.
import type { Context } from 'koa'
import { z } from 'zod'
import type { Present } from '../pages/present.ts'
import { Problem } from '../platform/errors.ts'
import { text } from '../platform/http/text.ts'
import type { AccountDeletion } from '../users/account-deletion.ts'
import { normalizeEmail } from '../users/email.ts'
import type { CollectPersonalData } from '../users/personal-data.ts'
import { accountPage, type Visit } from './page.ts'
import { parsed } from './parsed.ts'

interface Needs {
  readonly accountDeletion: AccountDeletion
  readonly collectPersonalData: CollectPersonalData
  readonly present: Present
}

const fields = z.strictObject({ confirm: text(320) })

/** Makes the page; who deletes the account types its address, so that nobody does by one click. */
export const createDataPage = ({ accountDeletion, present }: Needs) =>
  accountPage({
    path: '/account/data',
    view: 'account-data',
    isSensitive: true,
    show: async (_ctx, { user }) => ({ email: user.email }),
    submit: async (ctx, { user, actor }, form) => {
      const { confirm } = parsed(fields, form)
      if (normalizeEmail(confirm) !== normalizeEmail(user.email))
        throw new Problem('validation_failed', { fields: [{ path: 'confirm', code: 'not_your_address', message: 'is not your address' }] })
      await accountDeletion.remove(actor, user)
      present(ctx, 'account-outcome', { kind: 'deleted' })
      return { answered: true }
    },
  })

/** Answers with the document as a file. */
export const answerExport = async (ctx: Context, { user }: Visit, collectPersonalData: CollectPersonalData): Promise<void> => {
  const document = await collectPersonalData(user.id)
  ctx.set({ 'Content-Disposition': 'attachment; filename="my-data.json"', 'Cache-Control': 'no-store' })
  ctx.type = 'application/json'
  ctx.body = `${JSON.stringify(document, null, 2)}\n`
}

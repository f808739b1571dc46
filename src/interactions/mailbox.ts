// Shows the mail that was kept instead of sent, under /dev/mail; for development only.
import Router from '@koa/router'
import type { Present } from '../pages/present.ts'
import type { MailPart } from '../pages/proof-page-locals.ts'
import { Problem } from '../platform/errors.ts'
import type { Mailbox } from '../platform/mailbox.ts'

/** Makes the router. The list is JSON for who asks for that. */
export const createMailboxRouter = ({ mailbox, present }: { mailbox: Mailbox; present: Present }): Router => {
  const router = new Router({ prefix: '/dev/mail' })
  router.get('/', async ctx => {
    const mails = await mailbox.list()
    if (ctx.accepts('html', 'json') === 'json') {
      ctx.set('Cache-Control', 'no-store')
      ctx.body = mails.map(({ id, at, to, subject, text }) => ({ id, at, to, subject, text }))
      return
    }
    present(ctx, 'mailbox', { mails: mails.map(({ id, at, to, subject }) => ({ url: `/dev/mail/${id}`, at: inMinutes(at), to, subject })) })
  })
  router.get('/:id', async ctx => {
    const mail = (await mailbox.list()).find(({ id }) => id === ctx.params.id)
    if (!mail) throw new Problem('not_found')
    present(ctx, 'mailbox-mail', { to: mail.to, subject: mail.subject, at: inMinutes(mail.at), parts: partsOf(mail.text), listUrl: '/dev/mail' })
  })
  return router
}

const inMinutes = (at: string) => `${at.slice(0, 16).replace('T', ' ')} UTC`

const partsOf = (text: string): MailPart[] =>
  text.split(/(https?:\/\/\S+)/).map((part, index) => (index % 2 === 1 ? { text: part, url: part } : { text: part }))

// Mail to people: asked for in the change that is its reason, rendered in the reader's language and sent by a job.
import type { TransactionClient } from '../platform/data/database.ts'
import { createViews } from '../platform/http/views.ts'
import { type JobHandler, jobHandler } from '../platform/jobs/job.ts'
import type { Queue } from '../platform/jobs/queue.ts'
import type { Languages } from '../platform/languages.ts'
import type { Mail, Mailer } from '../platform/mail.ts'
import { type MailRequest, mailRequest, sendMail } from './mail.ts'
import { untold, wordsOf } from './words.ts'

/** Asks for mails. */
export interface Mails {
  /** In the transaction of the change that is the reason: no commit, no mail. */
  post(tx: TransactionClient, mail: MailRequest): Promise<void>
}

/** Makes the service. */
export const createMails = ({ queue }: { queue: Queue }): Mails => ({
  post: async (tx, mail) => queue.add(tx, { kind: sendMail, payload: mailRequest.parse(mail) }),
})

interface HandlerNeeds {
  readonly mailer: Mailer
  readonly languages: Languages
  readonly directory: string
  readonly isCached: boolean
  readonly productName: string
}

const locals = ['lang', 'dir', 'subject', 'paragraphs', 'code', 'buttonText', 'buttonUrl', 'note', 'productName']

/** Makes the work of the job. A kind's sentences are `subject`, `intro`, `note`, and `button` where it leads somewhere. */
export const createMailHandler = ({ mailer, languages, directory, isCached, productName }: HandlerNeeds): JobHandler => {
  const views = createViews({ directory, isCached, locals: { 'mail/html': locals, 'mail/text': locals } })
  return jobHandler(sendMail, async ({ kind, to, locale, values, url, code }, { id }) => {
    const language = languages.in(locale)
    const { tag, direction, t } = language
    const words = { ...wordsOf(language, { ...untold[kind], ...values }), product: productName, code: code ?? '' }
    const say = (part: string) => t(`mail.${kind}.${part}`, words)
    const content = {
      lang: tag,
      dir: direction,
      subject: say('subject'),
      paragraphs: say('intro').split('\n'),
      code,
      ...(url === undefined ? {} : { buttonText: say('button'), buttonUrl: url }),
      note: say('note'),
      productName,
    }
    const mail: Mail = { id, to, subject: content.subject, text: views.render('mail/text', content), html: views.render('mail/html', content) }
    await mailer.send(mail)
  })
}

// Sends mail over SMTP.
import type { Transporter } from 'nodemailer'
import type { Options } from 'nodemailer/lib/smtp-pool/index.js'
import { Hopeless } from './jobs/job.ts'

/** A mail to one person. */
export interface Mail {
  /** The same at every try, so that a mail sent twice is shown once. */
  readonly id: string
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
}

/** A way to send. */
export interface Mailer {
  /** Throws when the mail was not taken; `Hopeless` when it never will be. */
  send(mail: Mail): Promise<void>
  close(): void
}

const timeoutMilliseconds = 8000

/** Sends over SMTP. `from` is an address, or a name with one in angle brackets; `host` stands in the mails' ids. */
export const createSmtpMailer = ({ url, from, host }: { url: string; from: string; host: string }): Mailer => {
  const timeouts = { connectionTimeout: timeoutMilliseconds, greetingTimeout: timeoutMilliseconds, socketTimeout: timeoutMilliseconds }
  const options: Options = { ...smtpOptionsOf(url), ...timeouts, pool: true, maxConnections: 4 }
  let opening: Promise<Transporter> | undefined
  return {
    send: async ({ id, to, subject, text, html }) => {
      try {
        opening ??= open(options)
        const transport = await opening
        // The address goes as an object: nothing a person typed is parsed as a list of addresses.
        await transport.sendMail({
          from,
          to: { name: '', address: to },
          subject,
          text,
          html,
          messageId: `<${id}@${host}>`,
          headers: { 'Auto-Submitted': 'auto-generated' },
        })
      } catch (error) {
        // RFC 5321 §4.2.1: 5yz is for good. A refused sign-in is not the mail's fault and may be mended.
        if (isRefusal(error)) throw new Hopeless('the mail server refused the mail', { cause: error })
        throw error
      }
    },
    close: () => void opening?.then(transport => transport.close()),
  }
}

// Read when the first mail is sent: who sends none holds 4 MB less.
const open = async (options: Options): Promise<Transporter> => (await import('nodemailer')).createTransport(options)

/** What nodemailer is told of an SMTP_URL: with a password nothing goes in the clear. */
export const smtpOptionsOf = (address: string) => {
  const url = new URL(address)
  const user = decodeURIComponent(url.username)
  const secure = url.protocol === 'smtps:'
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || (secure ? 465 : 587)),
    secure,
    ...(user ? { auth: { user, pass: decodeURIComponent(url.password) }, requireTLS: !secure } : {}),
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

const isRefusal = (error: unknown) =>
  error instanceof Error &&
  'responseCode' in error &&
  Number(error.responseCode) >= 500 &&
  'code' in error &&
  (error.code === 'EENVELOPE' || error.code === 'EMESSAGE')

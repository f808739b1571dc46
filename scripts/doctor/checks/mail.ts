// Checks of how mail goes.
import type { Check } from '../check.ts'
import { isLoopback } from '../settings.ts'

export const mailChecks: readonly Check[] = [
  {
    code: 'mail_missing',
    level: 'warning',
    why: 'Nobody can sign up, prove an address or recover a password.',
    mend: 'Set SMTP_URL, such as smtp://user:password@mail.example.com:587.',
    look: ({ environment, settings }) => settings.isProduction && !environment.SMTP_URL && 'SMTP_URL is not set in production.',
  },
  {
    code: 'smtp_unreachable',
    level: 'wrong',
    why: 'Mails wait in the queue and are given up after hours.',
    mend: 'Look at the host and port of SMTP_URL, and whether this network lets SMTP out.',
    look: ({ settings, mail: { failure } }) =>
      failure && failure.code !== 'EAUTH' && `The mail server ${settings.smtp?.host} cannot be used: ${failure.reason}.`,
  },
  {
    code: 'smtp_refused',
    level: 'wrong',
    why: 'Every mail is refused, and given up after hours.',
    mend: 'Put the user and password of the mail server into SMTP_URL, special characters percent-encoded.',
    look: ({ settings, mail: { failure } }) => failure?.code === 'EAUTH' && `The mail server ${settings.smtp?.host} refuses the login: ${failure.reason}.`,
  },
  {
    code: 'smtp_in_clear',
    level: 'warning',
    why: 'Whoever reads along signs in with the codes and links in the mails.',
    mend: 'Use smtps:// in SMTP_URL, or a mail server that offers STARTTLS.',
    look: ({ settings: { smtp }, mail: { isEncrypted } }) =>
      isEncrypted === false && smtp !== undefined && !isLoopback(smtp.hostname) && `The mail server ${smtp.host} offers no encryption.`,
  },
  {
    code: 'mail_from_nowhere',
    level: 'warning',
    why: 'Mail from a domain that takes none is refused or filed as junk, and SPF and DKIM cannot vouch for it.',
    mend: 'Set MAIL_FROM to an address of a domain of yours that your mail server may send for.',
    look: ({ environment, settings: { isProduction, mailFrom }, mail: { isDomainKnown } }) =>
      isProduction && Boolean(environment.SMTP_URL) && isDomainKnown === false && `Mail is from ${mailFrom}, whose domain takes no mail.`,
  },
]

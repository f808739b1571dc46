// The words that a mail fills in: what was noted when it was asked for, said in its reader's language.
import type { Language } from '../platform/languages.ts'
import type { MailRequest } from './mail.ts'

/** What a mail tells of, as it was noted. */
export type Noted = Readonly<Record<string, string | number>>

/** What a mail does not tell that was asked for before its kind told of it: such mails wait for hours, also past an upgrade. */
export const untold: Partial<Record<MailRequest['kind'], Noted>> = {
  identity_linked: { organization: 'none' },
  webhook_disabled: { webhook: 'none', place: 'none', at: 'none' },
}

const minute: Intl.DateTimeFormatOptions = { year: 'numeric', month: 'long', day: 'numeric', hour: 'numeric', minute: '2-digit', timeZone: 'UTC' }

/** Says `time` as a time in UTC, and `device`, `ip` and `factor` of what is known of them; everything else as it is, on one line. */
export const wordsOf = ({ tag, t }: Pick<Language, 'tag' | 't'>, noted: Noted): Noted => {
  const values = Object.fromEntries(Object.entries(noted).map(([name, value]) => [name, typeof value === 'string' ? onOneLine(value) : value]))
  const { browser, system, time, ip, method } = values
  const device = browser && system ? t('account.sessions.device', { browser, system }) : (browser ?? system)
  return {
    ...values,
    device: device ?? t('mail.unknown_device'),
    ip: ip ?? t('mail.unknown_address'),
    ...(time === undefined ? {} : { time: new Intl.DateTimeFormat(tag, { ...minute, timeZoneName: 'short' }).format(new Date(time)) }),
    ...(method === undefined ? {} : { factor: t('mail.factor', values) }),
  }
}

// Names are chosen by strangers too: none adds a line to a mail or a field to its head, nor turns the words around it.
const onOneLine = (value: string) => value.replace(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu, ' ')

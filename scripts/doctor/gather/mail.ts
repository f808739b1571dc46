// Finds out about the way of mail: signs in at the mail server, sends nothing, and asks whether the sender's domain takes mail.
import { Resolver } from 'node:dns/promises'
import nodemailer from 'nodemailer'
import { smtpOptionsOf } from '../../../src/platform/mail.ts'
import type { Environment, MailFacts } from '../facts.ts'
import { settingsOf } from '../settings.ts'
import { failureOf, patienceMilliseconds } from './failure.ts'

/** Asks it, where SMTP_URL names one. */
export const gatherMail = async (environment: Environment): Promise<MailFacts> => {
  const { smtp, mailFrom } = settingsOf(environment)
  if (smtp === undefined || !/^smtps?:$/.test(smtp.protocol)) return {}
  const [server, isDomainKnown] = await Promise.all([gatherServer(smtp.href), takesMail(mailFrom.slice(mailFrom.lastIndexOf('@') + 1))])
  return { ...server, isDomainKnown }
}

const gatherServer = async (url: string): Promise<MailFacts> => {
  const options = smtpOptionsOf(url)
  try {
    await verify({ ...options, requireTLS: !options.secure })
    return { isEncrypted: true }
  } catch (error) {
    if (failureOf(error).code !== 'ETLS') return { failure: failureOf(error) }
  }
  try {
    await verify(options)
    return { isEncrypted: false }
  } catch (error) {
    return { failure: failureOf(error) }
  }
}

const verify = async (options: ReturnType<typeof smtpOptionsOf> & { requireTLS?: boolean }) => {
  const timeouts = { connectionTimeout: patienceMilliseconds, greetingTimeout: patienceMilliseconds, socketTimeout: patienceMilliseconds }
  const transport = nodemailer.createTransport({ ...options, ...timeouts })
  try {
    await transport.verify()
  } finally {
    transport.close()
  }
}

// RFC 5321 §5.1: MX, and without one the addresses of the name itself. Absent where the resolver does not say.
const takesMail = async (domain: string): Promise<boolean | undefined> => {
  const resolver = new Resolver({ timeout: patienceMilliseconds / 4, tries: 1 })
  const asked = [() => resolver.resolveMx(domain), () => resolver.resolve4(domain), () => resolver.resolve6(domain)]
  for (const ask of asked) {
    try {
      const [found] = await ask()
      // RFC 7505: a lone dot says that no mail is taken.
      return !(typeof found === 'object' && found.exchange === '')
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && (error.code === 'ENOTFOUND' || error.code === 'ENODATA'))) return undefined
    }
  }
  return false
}

// What somebody may try by mail who lacks a step of a sign-in: a new password, a code, a link. Whoever reads the mail is the person, or a thief.
import { asksFor } from './factor-journeys.ts'
import type { Stuck } from './factor-states.ts'
import { at, finish, type Way } from './factor-ways.ts'
import { codeOf, linkOf, mailTo } from './mails.ts'
import type { Answer } from './person.ts'
import { redirectUri } from './relying-party.ts'
import type { TestServer } from './server.ts'

const afterCode = ['second-factor', 'enrol']

/** Makes the ways. */
export const createMailWays = (server: TestServer): Readonly<Record<string, Way>> => {
  /** Does what sends a mail, and waits for that mail and no older one. */
  const mailOf = async <Result>({ who }: Stuck, { subject, work }: { subject: string; work: () => Promise<Result> }) => {
    const before = (await server.mailsTo(who.email)).filter(mail => mail.subject.includes(subject)).length
    const result = await work()
    return { result, mail: await mailTo(server, who.email, subject, before + 1) }
  }
  const askForCode = async (stuck: Stuck) => {
    const { person, page, who } = stuck
    const identifier = await person.get(at(page, '/identifier'))
    const asked = await person.follow(await person.submit(identifier, { username: who.email }), redirectUri)
    return mailOf(stuck, { subject: 'sign-in code', work: async () => person.follow(await person.press(asked, '/email-code'), redirectUri) })
  }
  /** The mail proves one factor: what is missing is another, and it is asked for. */
  const goOn = async (stuck: Stuck, answered: Answer) => {
    const next = await stuck.person.follow(answered, redirectUri)
    if (!afterCode.includes(asksFor(next))) throw new Error(`the mail led to ${next.status} at ${next.url.pathname}`)
    return finish({ ...stuck, page: next })
  }

  return {
    'a new password by mail': async stuck => {
      const { person, page, who } = stuck
      const form = await person.get(new URL('/recovery', page.url))
      const { mail } = await mailOf(stuck, { subject: 'Choose a new password', work: () => person.submit(form, { username: who.email }) })
      const asked = await person.follow(await person.get(linkOf(mail)), redirectUri)
      const done = await person.follow(await person.submit(asked, { password: who.password }), redirectUri)
      if (done.url.pathname !== '/recovery/done') throw new Error(`no new password: ${done.status} at ${done.url.pathname}`)
      return finish(stuck)
    },
    'a code by mail': async stuck => {
      const { result, mail } = await askForCode(stuck)
      return goOn(stuck, await stuck.person.submit(result, { code: codeOf(mail) }))
    },
    'a link by mail': async stuck => {
      const { mail } = await askForCode(stuck)
      const asked = await stuck.person.follow(await stuck.person.get(linkOf(mail)), redirectUri)
      return goOn(stuck, await stuck.person.press(asked, '/code/link'))
    },
  }
}

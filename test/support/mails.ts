// Reads the mails of a test's server: waits for one, and finds the link and the code in it.
import type { KeptMail } from '../../src/platform/mailbox.ts'
import type { TestServer } from './server.ts'
import { until } from './until.ts'

/** The newest mail to an address whose subject says so, once `count` of them are there. */
export async function mailTo(server: Pick<TestServer, 'mailsTo'>, address: string, subject: string, count = 1): Promise<KeptMail> {
  let found: readonly KeptMail[] = []
  await until(async () => {
    found = (await server.mailsTo(address)).filter(mail => mail.subject.includes(subject))
    return found.length >= count
  })
  const [newest] = found
  if (!newest) throw new Error(`no mail to ${address}`)
  return newest
}

/** The subjects of all that was mailed to an address, the oldest first, once nothing waits to be sent. */
export async function subjectsTo(server: TestServer, address: string): Promise<readonly string[]> {
  const { pool } = server.resources.database
  await until(async () => (await pool.query('SELECT 1 FROM jobs LIMIT 1')).rows.length === 0)
  return (await server.mailsTo(address)).map(({ subject }) => subject).toReversed()
}

/** The address that the mail's link leads to. */
export const linkOf = ({ text }: Pick<KeptMail, 'text'>): URL => new URL(/^https?:\S+$/m.exec(text)?.[0] ?? 'none:')

/** The secret in it. */
export const linkToken = (mail: Pick<KeptMail, 'text'>): string => linkOf(mail).pathname.split('/').at(-1) ?? ''

/** The code to be typed. */
export const codeOf = ({ text }: Pick<KeptMail, 'text'>): string => /^\s+(\d{6})$/m.exec(text)?.[1] ?? ''

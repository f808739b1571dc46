// Mail as a mail server gets it, and what becomes of one that it refuses.
import test from 'ava'
import { Hopeless } from '../../src/platform/jobs/job.ts'
import { createSmtpMailer, type Mail } from '../../src/platform/mail.ts'
import { startSilence, startSmtp } from '../support/smtp.ts'

const mail: Mail = {
  id: '01JD9X4M7Q2V8K3T6B5N',
  to: 'jürgen@example.com',
  subject: 'Grüße aus Österreich — あいさつ',
  text: 'Öffne den Link:\nhttps://id.example.com/recovery/abc\n',
  html: '<p>Öffne den <a href="https://id.example.com/recovery/abc">Link</a></p>',
}
const mailerFor = (url: string) => createSmtpMailer({ url, from: 'Authy2 <no-reply@id.example.com>', host: 'id.example.com' })

test('a mail has a text and an HTML part, its own id, and umlauts in all of them', async t => {
  const server = await startSmtp()
  t.teardown(server.close)
  const mailer = mailerFor(server.url)
  t.teardown(() => mailer.close())
  await mailer.send({ ...mail, to: 'ada@example.com' })
  const [one] = server.delivered
  t.deepEqual(one?.to, ['ada@example.com'])
  t.is(one?.from, 'no-reply@id.example.com')
  t.is(one?.mail.subject, mail.subject)
  t.is(one?.mail.text?.trim(), mail.text.trim())
  t.is(one?.mail.html?.trim(), mail.html.trim())
  t.is(one?.mail.messageId, `<${mail.id}@id.example.com>`)
  t.is(one?.mail.from?.name, 'Authy2')
  t.regex(one?.raw ?? '', /^Auto-Submitted: auto-generated\r$/m)
  t.regex(one?.raw ?? '', /^Content-Type: multipart\/alternative/m)
  t.regex(one?.raw ?? '', /^Date: /m)
})

test('an address is one address, whatever stands in it, and no header can be slipped in', async t => {
  const server = await startSmtp()
  t.teardown(server.close)
  const mailer = mailerFor(server.url)
  t.teardown(() => mailer.close())
  for (const to of ['ada@example.com, eve@evil.example', 'ada@example.com\r\nBcc: eve@evil.example', '<ada@example.com> eve@evil.example'])
    await mailer.send({ ...mail, to, subject: 'Hello' }).catch(() => undefined)
  await mailer.send({ ...mail, to: 'ada@example.com', subject: 'Hello\r\nBcc: eve@evil.example' })
  const all = server.delivered.flatMap(({ to }) => to)
  t.true(all.includes('ada@example.com'))
  t.false(all.includes('eve@evil.example'))
  t.true(server.delivered.every(({ to, raw }) => to.length === 1 && !/^Bcc:/im.test(raw)))
})

test('a refusal for now is no last word, one for good is', async t => {
  for (const [status, isHopeless] of [
    [421, false],
    [451, false],
    [550, true],
    [554, true],
  ] as const) {
    const server = await startSmtp({ refuse: () => status })
    const mailer = mailerFor(server.url)
    const error = await t.throwsAsync(mailer.send({ ...mail, to: 'ada@example.com' }))
    t.is(error instanceof Hopeless, isHopeless, String(status))
    mailer.close()
    await server.close()
  }
})

test('a recipient who is refused for good is given up', async t => {
  const server = await startSmtp({ onRcptTo: (_address, _session, callback) => callback(Object.assign(new Error('nobody'), { responseCode: 550 })) })
  t.teardown(server.close)
  const mailer = mailerFor(server.url)
  t.teardown(() => mailer.close())
  await t.throwsAsync(mailer.send({ ...mail, to: 'nobody@example.com' }), { instanceOf: Hopeless })
})

test('a password is not told to a server without STARTTLS, and one that it refuses is no fault of the mail', async t => {
  const passwords: string[] = []
  const onAuth = ({ password }: { password?: string | null | undefined }, _session: unknown, callback: (error: Error) => void) => {
    passwords.push(password ?? '')
    callback(new Error('no'))
  }
  const plain = await startSmtp({ onAuth, allowInsecureAuth: true })
  t.teardown(plain.close)
  const mailer = mailerFor(plain.url.replace('//', '//user:secret@'))
  const error = await t.throwsAsync(mailer.send({ ...mail, to: 'ada@example.com' }))
  t.false(error instanceof Hopeless)
  t.deepEqual(passwords, [])
  mailer.close()
  // The certificate of this one is nobody's: it is not believed.
  const encrypted = await startSmtp({ onAuth, disabledCommands: [] })
  t.teardown(encrypted.close)
  const other = mailerFor(encrypted.url.replace('//', '//user:secret@'))
  t.false((await t.throwsAsync(other.send({ ...mail, to: 'ada@example.com' }))) instanceof Hopeless)
  t.deepEqual(passwords, [])
  other.close()
})

test('a server that says nothing keeps a mail for no longer than ten seconds', async t => {
  const silence = await startSilence()
  t.teardown(silence.close)
  const mailer = mailerFor(silence.url)
  t.teardown(() => mailer.close())
  const startedAt = performance.now()
  const error = await t.throwsAsync(mailer.send({ ...mail, to: 'ada@example.com' }))
  t.false(error instanceof Hopeless)
  t.true(performance.now() - startedAt < 10_000)
})

// The mail that was kept instead of sent, as a developer reads it.
import test from 'ava'
import { mailTo } from '../support/mails.ts'
import { createPerson } from '../support/person.ts'
import { startServer } from '../support/server.ts'

test('kept mail is listed and read, its links can be followed, and it may run nothing', async t => {
  const server = await startServer()
  t.teardown(() => server.close())
  const email = '"><script>alert(1)</script>@example.com'
  await server.resources.mailer?.send({ id: 'mail-1', to: email, subject: 'A <b>subject</b>', text: 'Open:\nhttps://id.example.com/x?a=1&b=2\n', html: '' })
  const browser = createPerson()
  const list = await browser.get(`${server.issuer}/dev/mail`)
  t.is(list.status, 200)
  t.true(list.body.includes('A &lt;b&gt;subject&lt;/b&gt;'))
  t.false(list.body.includes('<script>alert'))
  t.regex(list.headers.get('content-security-policy') ?? '', /default-src 'none'/)
  const mail = await browser.get(`${server.issuer}/dev/mail/mail-1`)
  t.true(mail.body.includes('<a href="https://id.example.com/x?a=1&amp;b=2">'))
  t.is((await browser.get(`${server.issuer}/dev/mail/nothing`)).status, 404)
  const told = JSON.parse((await browser.send(new URL('/dev/mail', server.issuer), { headers: { accept: 'application/json' } })).body)
  t.is((await mailTo(server, email, 'subject')).text, told[0].text)
})

test('in production there is no such page', async t => {
  const production = {
    NODE_ENV: 'production',
    ISSUER: 'https://id.example.com',
    DATABASE_URL: 'postgresql://x/y',
    REDIS_URL: 'redis://x',
    SECRET_KEY: 'q8Zr2LmX0vTnB4wYk6JdP9sHcF1gAeUo',
  }
  const { openMail } = await import('../../src/resources.ts')
  const { readConfig } = await import('../../src/config.ts')
  t.deepEqual(
    openMail(readConfig(production), () => new Date()),
    {},
  )
})

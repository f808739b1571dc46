// Every kind of mail in every language: whole, in both its parts, and on nobody's terms but ours.
import { join } from 'node:path'
import test from 'ava'
import { type MailRequest, mailKinds } from '../../src/mails/mail.ts'
import { createMailHandler } from '../../src/mails/mails.ts'
import { createLanguages } from '../../src/platform/languages.ts'
import { createMailbox } from '../../src/platform/mailbox.ts'
import { makeDataDir } from '../support/database.ts'

type Kind = (typeof mailKinds)[number]

const views = join(import.meta.dirname, '../../views')
const languages = createLanguages({ directory: join(views, 'languages') })
const { dataDir, remove } = makeDataDir()
const mailbox = createMailbox({ directory: dataDir, now: () => new Date() })
const handler = createMailHandler({ mailer: mailbox, languages, directory: views, isCached: true, productName: 'Authy2' })
test.after.always(remove)

const url = 'https://id.example.com/somewhere/a-secret'
const place = { time: '2026-01-05T15:04:05.000Z', browser: 'Chrome', system: 'macOS', ip: '203.0.113.7' }
const passkey = { ...place, method: 'passkey', name: 'Blue key' }

/** What each kind is asked for with. */
const requests: Readonly<Record<Kind, Pick<MailRequest, 'values' | 'url' | 'code'>>> = {
  email_verification: { values: { minutes: '57' }, url, code: '135790' },
  password_reset: { values: { minutes: '57' }, url },
  sign_in: { values: { minutes: '57' }, url, code: '135790' },
  email_change: { values: { minutes: '57' }, url },
  email_change_approval: { values: { ...place, old_email: 'old@people.example', new_email: 'new@people.example', minutes: '57' }, url },
  email_changed: { values: { ...place, old_email: 'old@people.example', new_email: 'new@people.example', hours: '57' }, url },
  email_replaced: { values: { ...place, old_email: 'old@people.example', new_email: 'new@people.example' }, url },
  password_changed: { values: place, url },
  new_device: { values: place, url },
  factor_added: { values: passkey, url },
  factor_removed: { values: passkey, url },
  recovery_codes_made: { values: place, url },
  recovery_code_used: { values: { ...place, left: 57 }, url },
  identity_linked: { values: { ...place, connection: 'Google', organization: 'Acme' }, url },
  identity_unlinked: { values: { ...place, connection: 'Google' }, url },
  agent_made: { values: { ...place, agent: 'Acme Helper' }, url },
  member_added: { values: { organization: 'Acme', role: 'member' }, url },
  member_agent_made: { values: { ...place, agent: 'Acme Helper', organization: 'Acme' }, url },
  invitation: { values: { organization: 'Acme', inviter: 'Alice', role: 'member', hours: '57' }, url },
  account_exists: {},
  account_deleted: { values: { ...place, days: 57 }, url },
  approval_asked: { values: { client: 'Till 4', owner: 'Acme', minutes: 57 }, url },
  webhook_disabled: {
    values: { webhook: 'Orders', place: 'organization', organization: 'Acme', at: `${url}/webhook`, host: 'hooks.example', reason: 'failing', days: 57 },
  },
}
let count = 0
const render = async (kind: Kind, locale: string, changed: Readonly<Record<string, string | number | undefined>> = {}) => {
  const { values, ...rest } = requests[kind]
  const id = `mail-${count++}`
  const request = { kind, to: 'ida@people.example', locale, values: { ...values, ...changed }, ...rest }
  await handler.handle(JSON.parse(JSON.stringify(request)), { id, attempt: 1 })
  const mail = (await mailbox.list()).find(kept => kept.id === id)
  if (!mail) throw new Error('it was not sent')
  return { ...mail, shown: readable(mail.html) }
}
/** What a person reads of HTML. */
const readable = (html: string) =>
  html
    .replace(/<[^>]+>/g, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&#34;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
const inLatinDigits = (text: string) => text.replace(/[٠-٩]/g, digit => String(digit.charCodeAt(0) - 0x660))

for (const { tag, find } of languages.list)
  for (const kind of mailKinds)
    test(`${kind} is whole in ${tag}`, async t => {
      const { values = {}, url, code } = requests[kind]
      for (const part of ['subject', 'intro', 'note']) t.truthy(find(`mail.${kind}.${part}`, { ...values, product: '', code, device: '', factor: '' }), part)
      const { subject, text, html, shown } = await render(kind, tag)
      t.true(html.includes(`<html lang="${tag}" dir="${languages.in(tag).direction}">`))
      for (const part of [subject, text, shown]) {
        t.true(part.trim().length > 0)
        t.notRegex(part, /[{}⟦⟧]|undefined|null|NaN|Invalid|\[object/)
      }
      for (const part of [text, shown].map(inLatinDigits)) {
        if (url) t.true(part.includes(url) && part.includes(find(`mail.${kind}.button`) ?? '⟦⟧'))
        if (code) t.true(part.includes(code))
        if (['minutes', 'hours', 'days', 'left'].some(name => name in values)) t.true(part.includes('57'), 'the expiry or what is left')
        if ('time' in values) for (const said of ['2026', 'UTC', 'Chrome', 'macOS', '203.0.113.7']) t.true(part.includes(said), said)
        if ('name' in values) t.true(part.includes('Blue key'))
        if ('new_email' in values) t.true(part.includes('old@people.example') && part.includes('new@people.example'))
      }
      t.is(url !== undefined, find(`mail.${kind}.button`) !== undefined)
    })

for (const { tag } of languages.list)
  test(`a webhook’s mail that was queued before it told which webhook, whose and where it is enabled is whole in ${tag}`, async t => {
    const whose = ['place', 'organization']
    for (const lacking of [whose, ['webhook'], ['at'], ['webhook', 'at'], ['webhook', ...whose], ['at', ...whose], ['webhook', 'at', ...whose]]) {
      const { subject, text, shown } = await render('webhook_disabled', tag, Object.fromEntries(lacking.map(name => [name, undefined])))
      for (const part of [subject, text, shown]) t.notRegex(part, /[{}⟦⟧]|undefined|null|none(?! of our)| {2}\S|「」|\s[.。،]/, lacking.join())
      t.true(text.includes('hooks.example') && inLatinDigits(text).includes('57'))
      for (const [name, told] of [
        ['webhook', 'Orders'],
        ['at', `${url}/webhook`],
      ] as const)
        t.is(text.includes(told), !lacking.includes(name), `${name} without ${lacking.join()}`)
    }
  })

test('what is not known is said in the reader’s language, and a time in their way of writing it', async t => {
  const nowhere = { browser: undefined, system: undefined, ip: undefined }
  t.regex(
    (await render('password_changed', 'de', nowhere)).text,
    /am 5\. Januar 2026 um 15:04 UTC geändert, von einem unbekannten Gerät \(unbekannte Adresse\)/,
  )
  t.regex((await render('password_changed', 'ja', nowhere)).text, /2026年1月5日 15:04 UTC に 不明なデバイス（不明なアドレス）/)
  t.regex((await render('new_device', 'fr')).text, /le 5 janvier 2026 à 15:04 UTC, depuis Chrome sur macOS \(203\.0\.113\.7\)/)
  t.regex((await render('new_device', 'en', { system: undefined })).text, /on January 5, 2026 at 3:04 PM UTC, from Chrome \(/)
})

test('a factor is told by its kind in the reader’s language, and by the name that somebody gave it', async t => {
  t.regex((await render('factor_added', 'de')).text, /^Der Passkey „Blue key“ wurde/)
  t.regex((await render('factor_added', 'de', { method: 'totp', name: 'Telefon' })).text, /^Die Authenticator-App „Telefon“ wurde/)
  t.regex((await render('factor_added', 'de', { method: 'unnamed', name: 'Authenticator app' })).text, /^Die Authenticator-App wurde/)
})

test('a built-in role is said in the reader’s language, any other by its own name', async t => {
  const said = { de: 'als Mitglied beizutreten', fr: 'en tant que membre', es: 'como miembro', ja: 'メンバーとして', ar: 'بصفة عضو', en: 'as member' }
  for (const [tag, words] of Object.entries(said)) {
    const { text, html } = await render('invitation', tag)
    t.true(text.includes(words) && html.includes(words), tag)
    t.true((await render('invitation', tag, { role: 'night-watch' })).text.includes('night-watch'), tag)
  }
  t.true((await render('invitation', 'de', { role: 'owner' })).text.includes('als Inhaber '))
})

test('no name that a stranger chose adds a line to a mail or a field to its head, or turns the words around it', async t => {
  const evil = 'Acme\r\nBcc: everybody@people.example\n\nOpen https://evil.example\u2028now\u0000\u202e!'
  const { subject, text, html } = await render('invitation', 'en', { organization: evil, inviter: evil, role: evil })
  t.is(subject, 'You are invited to Acme Bcc: everybody@people.example Open https://evil.example now !')
  for (const part of [text, html]) {
    t.notRegex(part, /^(?:Bcc|Open|now)/m)
    t.notRegex(part, /[\0\u2028\u202e]/)
  }
  t.false((await render('invitation', 'en', { inviter: '<a href="https://evil.example">Alice</a>' })).html.includes('<a href="https://evil'))
})

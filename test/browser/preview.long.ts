/** The picture of a page in a real browser: it wears the branding, and whatever is done to it does nothing. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import type { Browser } from 'playwright-core'
import { systemActor } from '../../src/platform/actor.ts'
import { escapeHtml } from '../../src/platform/markup.ts'
import { startApi, type TestApi } from '../support/api.ts'
import { findChromium, openBrowser } from '../support/browser.ts'

const hasChromium = findChromium() !== undefined
const browserTest = hasChromium ? test.serial : test.serial.skip
const why = hasChromium ? '' : ' (skipped: no Chromium, set CHROMIUM_PATH)'

let api: TestApi
let browser: Browser

test.before(async () => {
  if (!hasChromium) return
  api = await startApi()
  browser = await openBrowser()
})

test.after.always(async () => {
  await browser?.close()
  await api?.close()
})

browserTest(`a preview in a sandboxed frame of another origin wears the branding, and leads nowhere${why}`, async t => {
  const owner = await api.signIn()
  const { id } = await api.server.services.organizations.create(systemActor, { name: 'Nordlicht', ownerId: owner.id })
  const body = { branding: { name: 'Nordlicht', primary_color: '#0b0b3b', radius: '4px', terms_url: 'https://nordlicht.example/terms' } }
  const { data } = await api.ask(`POST /organizations/${id}/settings/preview`, { token: owner.token, body })
  const page = await browser.newPage()
  const [asked, faults]: [string[], string[]] = [[], []]
  page.on('request', request => asked.push(request.url()))
  page.on('console', message => faults.push(message.text()))
  const frame = `<iframe sandbox width="600" height="700" srcdoc="${escapeHtml(data.html)}"></iframe>`
  const elsewhere = createServer((_request, response) => response.setHeader('content-type', 'text/html').end(`<!doctype html><title>Console</title>${frame}`))
  t.teardown(() => elsewhere.close())
  await once(elsewhere.listen(0, 'localhost'), 'listening')
  await page.goto(`http://localhost:${(elsewhere.address() as AddressInfo).port}/`)
  const button = page.frameLocator('iframe').locator('button.primary')
  await button.waitFor()
  const styled = (name: string) => page.frames()[1]?.evaluate(`getComputedStyle(document.querySelector('button.primary')).${name}`)
  t.deepEqual([await styled('backgroundColor'), await styled('borderRadius')], ['rgb(11, 11, 59)', '4px'])

  const before = asked.length
  const box = await button.boundingBox()
  if (!box) throw new Error('the button is not seen')
  await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2)
  for (let count = 0; count < 8; count += 1) await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.frames()[1]?.evaluate("document.querySelector('form').noValidate = true; document.querySelector('form').requestSubmit()")
  await page.waitForTimeout(300)
  t.is(asked.length, before)
  t.true(asked.slice(1).every(url => url.endsWith('/favicon.ico') || url.startsWith(`${api.server.issuer}/assets/`)))
  t.true(page.frames()[1]?.url() === 'about:srcdoc')
  t.deepEqual(
    faults.filter(text => /Content Security Policy/i.test(text) && !/form|sandbox/i.test(text)),
    [],
  )
})

/** A second factor in a real browser: enrolled by reading the code off the screen, by keyboard alone, and a recovery code that works once. */
import test, { type ExecutionContext } from 'ava'
import jsqr from 'jsqr'
import type { Browser, Page } from 'playwright-core'
import { PNG } from 'pngjs'
import { systemActor } from '../../src/platform/actor.ts'
import { findChromium, openBrowser } from '../support/browser.ts'
import { makeClient } from '../support/clients.ts'
import { codeOf } from '../support/factors.ts'
import { signIn, toEnrolment, toSecondFactor } from '../support/journeys.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

const hasChromium = findChromium() !== undefined
const browserTest = hasChromium ? test.serial : test.serial.skip
const why = hasChromium ? '' : ' (skipped: no Chromium, set CHROMIUM_PATH)'

let server: TestServer
let browser: Browser
test.before(async () => {
  if (!hasChromium) return
  server = await startServer()
  browser = await openBrowser()
})
test.after.always(async () => {
  await browser?.close()
  await server?.close()
})

const open = async (t: ExecutionContext, options: { javaScriptEnabled?: boolean; colorScheme?: 'light' | 'dark' } = {}) => {
  const context = await browser.newContext(options)
  t.teardown(() => context.close())
  return context.newPage()
}
/** Presses Enter; the browser is sent back to the client with a code. Nobody answers there. */
const comeBack = async (page: Page) => {
  const back = page.waitForRequest(request => request.url().startsWith(redirectUri))
  await page.keyboard.press('Enter')
  return new URL((await back).url()).searchParams.has('code')
}

for (const colorScheme of ['light', 'dark'] as const)
  browserTest(`an app that reads the code off the ${colorScheme} screen enrols, and Tab, Space and Enter are enough${why}`, async t => {
    const page = await open(t, { javaScriptEnabled: false, colorScheme })
    await toEnrolment(page, server)
    const { data, width, height } = PNG.sync.read(await page.screenshot({ fullPage: true }))
    const scanned = jsqr.default(new Uint8ClampedArray(data), width, height)?.data ?? ''
    t.is(await page.locator('a[href^="otpauth:"]').getAttribute('href'), scanned)
    await page.locator('#code:focus').waitFor()
    const code = codeOf(scanned)
    await page.keyboard.type(`${code.slice(0, 3)} ${code.slice(3)}`)
    await page.keyboard.press('Enter')
    await page.locator('#codes').waitFor()
    const codes = await page.locator('#codes code').allTextContents()
    t.is(new Set(codes).size, 10)
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download as a text file' }).click()])
    t.is(download.suggestedFilename(), 'Authy2-recovery-codes.txt')
    const stream = await download.createReadStream()
    t.is(Buffer.concat(await stream.toArray()).toString('utf8'), `${codes.join('\n')}\n`)
    await page.keyboard.press('Tab')
    await page.locator('[name=saved]:focus').waitFor()
    await page.keyboard.press('Space')
    await page.keyboard.press('Tab')
    t.true(await comeBack(page))
  })

browserTest(`a recovery code lets in once, by keyboard alone${why}`, async t => {
  const page = await open(t)
  const { user } = await toSecondFactor(page, server)
  const [code = ''] = await server.services.recoveryCodes.issue(systemActor, user.id)
  await page.reload()
  const useCode = async (where: Page) => {
    await where.getByRole('link', { name: 'Use a recovery code' }).focus()
    await where.keyboard.press('Enter')
    await where.getByRole('heading', { name: 'Use a recovery code' }).waitFor()
    await where.locator('#code:focus').waitFor()
    await where.keyboard.type(code.toLowerCase())
  }
  await useCode(page)
  t.true(await comeBack(page))

  const other = await open(t)
  const portal = await makeClient(server)
  await other.goto((await portal.request()).url.href)
  await signIn(other, user)
  await other.locator('#code').waitFor()
  await useCode(other)
  await other.keyboard.press('Enter')
  await other.locator('[role=alert]:focus').waitFor()
  t.is(await other.getByRole('alert').textContent(), 'This code is not valid, or was used already.')
})

browserTest(`back, forward and a page that is opened again lead round nothing${why}`, async t => {
  const page = await open(t)
  const { code } = await toSecondFactor(page, server)
  await page.goBack()
  await page.locator('#password').waitFor()
  await page.goForward()
  await page.locator('#code').fill(await code())
  const address = page.url()
  t.true(await comeBack(page))
  const again = await page.context().newPage()
  await again.goto(address)
  t.is(await again.title(), 'Sign-in expired · Authy2')
})

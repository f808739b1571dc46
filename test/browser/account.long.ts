/** The account centre in Chromium, by keyboard alone: a passkey is made, signs in by autofill and is removed; in light and dark, from the left and from the right. */
import test, { type ExecutionContext } from 'ava'
import type { Browser, Page } from 'playwright-core'
import { findChromium, openBrowser } from '../support/browser.ts'
import { layoutFaults, violations } from '../support/page-checks.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'
import { addAuthenticator } from '../support/virtual-authenticator.ts'

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

/** Goes on with Tab until something has the focus, and presses Enter there. */
const press = async (t: ExecutionContext, page: Page, selector: string) => {
  for (let tabs = 0; tabs < 60; tabs += 1) {
    if (await page.evaluate(`document.activeElement?.matches(${JSON.stringify(selector)})`)) return page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
  }
  return t.fail(`Tab does not lead to ${selector}`)
}

const type = async (page: Page, selector: string, text: string) => {
  await page.locator(`${selector}:focus`).waitFor()
  await page.keyboard.type(text)
  await page.keyboard.press('Enter')
}

for (const locale of ['en', 'ar'])
  for (const colorScheme of ['light', 'dark'] as const)
    browserTest(`a passkey is made, signs in by autofill and is removed, in ${colorScheme}, in ${locale}${why}`, async t => {
      const context = await browser.newContext({ locale, colorScheme, viewport: { width: 360, height: 740 }, reducedMotion: 'reduce' })
      t.teardown(() => context.close())
      const page = await context.newPage()
      const authenticator = await addAuthenticator(page)
      const user = await makeUser(server)
      const isSound = async (what: string) => t.deepEqual([...(await violations(page)), ...(await layoutFaults(page))], [], what)
      const passkeys = () => page.locator('.rows > li').count()

      await page.goto(`${server.issuer}/account/security`)
      t.is(await page.locator('html').getAttribute('dir'), locale === 'ar' ? 'rtl' : 'ltr')
      await type(page, '#username', user.email)
      await type(page, '#password', user.password)
      await page.waitForURL('**/account/security')
      await isSound('without a passkey')

      await authenticator.touch()
      await press(t, page, 'form[data-enrol] button')
      await page.waitForURL('**/account/security?done=passkey_added.*')
      await authenticator.touch(false)
      t.is(await passkeys(), 1)
      await isSound('with a passkey')

      await press(t, page, 'nav a[href="/oauth2/logout"]')
      await page.locator('[name=logout]').waitFor()
      await isSound('signing out')
      await press(t, page, '[name=logout]')
      await page.waitForURL('**/oauth2/logout/success**')

      await authenticator.touch()
      await page.goto(`${server.issuer}/account/security`)
      await page.waitForURL('**/account/security')
      await authenticator.touch(false)
      t.is(await passkeys(), 1)

      await press(t, page, 'details:has([name=remove]) > summary')
      await isSound('asked whether to remove it')
      await press(t, page, '[name=remove]')
      await page.waitForURL('**/account/security?done=factor_removed.*')
      t.is(await passkeys(), 0)
      await isSound('without it again')
    })

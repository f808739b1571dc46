/** Every hosted page in every state: accessible, reflowing, small, and quiet under the policy. */
import test, { type ExecutionContext } from 'ava'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { GALLERY_URLS } from '../../src/pages/gallery.ts'
import { findChromium, openBrowser } from '../support/browser.ts'
import { startGallery } from '../support/gallery-server.ts'
import { layoutFaults, listen, violations } from '../support/page-checks.ts'

const DESKTOP = { colorScheme: 'light', width: 1280 } as const
const PHONE = { colorScheme: 'dark', width: 360 } as const
// A colour differs by scheme and an order by width. Each page is looked at in both; of its other states each adds a few words to what was seen.
const looksAt = (url: string) => {
  if (url.endsWith('/plain')) return [DESKTOP, PHONE]
  return [/dark|rtl|error/.test(url) ? PHONE : DESKTOP]
}
const HTML_LIMIT = 15 * 1024

const hasChromium = findChromium() !== undefined
const browserTest = hasChromium ? test.serial : test.serial.skip
const why = hasChromium ? '' : ' (skipped: no Chromium, set CHROMIUM_PATH)'

let gallery: Awaited<ReturnType<typeof startGallery>>
let browser: Browser
let context: BrowserContext
let shared: Page

test.before(async () => {
  if (!hasChromium) return
  gallery = await startGallery()
  browser = await openBrowser()
  context = await browser.newContext()
  shared = await context.newPage()
})

test.after.always(async () => {
  await browser?.close()
  await gallery?.close()
})

// What German and a tenant's colours do to a page they do to all: the pages of the sign-in show it.
const isLooked = (url: string) => !/\/(german|branded|branded-dark)$/.test(url) || /\/(identifier|password|consent|account-security)\//.test(url)

for (const url of GALLERY_URLS.filter(isLooked)) {
  browserTest(`${url} is accessible, reflows, is small and keeps to the policy${why}`, async t => {
    const page = shared
    const noise = listen(page, gallery.url)
    const response = await page.goto(gallery.url + url)
    const html = (await response?.body()) ?? Buffer.alloc(0)

    t.is(response?.status(), 200)
    t.true(html.length <= HTML_LIMIT, `${html.length} bytes`)
    for (const { colorScheme, width } of looksAt(url)) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await page.setViewportSize({ width, height: 800 })
      t.deepEqual(await violations(page), [], `${colorScheme} at ${width}`)
    }
    await page.setViewportSize({ width: 320, height: 640 })
    t.deepEqual(await layoutFaults(page), [])
    t.deepEqual(noise, [])
    page.removeAllListeners()
  })
}

browserTest(`the sign-in in Arabic is read from the right, and in German from the left${why}`, async t => {
  const page = await context.newPage()
  t.teardown(() => page.close())
  await page.setViewportSize({ width: 320, height: 640 })
  for (const view of ['identifier', 'password'])
    for (const [language, side] of [
      ['ar', 'right'],
      ['de', 'left'],
    ] as const) {
      await page.goto(`${gallery.url}/dev/gallery/${view}/error?language=${language}`)
      t.deepEqual([...(await violations(page)), ...(await layoutFaults(page))], [], `${view} ${language}`)
      const from = await page.evaluate(`getComputedStyle(document.querySelector('#username')).textAlign`)
      t.is(from, side, `${view} ${language}`)
      t.is(await page.locator('select option:checked').getAttribute('value'), language)
    }
})

browserTest(`the error summary has the focus, with script and without${why}`, async t => {
  for (const javaScriptEnabled of [true, false]) {
    const other = await browser.newContext({ javaScriptEnabled })
    const page = await other.newPage()
    await page.goto(`${gallery.url}/dev/gallery/password/error`)
    await t.notThrowsAsync(page.locator('[role=alert]:focus').waitFor({ timeout: 5000 }))
    t.true((await page.title()).startsWith('Error: '))
    await other.close()
  }
})

browserTest(`the password is revealed, and hidden again on submit${why}`, async t => {
  const page = await openStopped(t, 'password/plain')
  const type = () => page.locator('#password').getAttribute('type')
  await page.locator('#password').fill('correct horse')
  await page.getByRole('button', { name: 'Show password' }).click()
  const shown = [await type(), await page.locator('[data-reveal]').getAttribute('aria-pressed')]
  await page.getByRole('button', { name: 'Sign in' }).click()

  t.deepEqual(shown, ['text', 'true'])
  t.is(await type(), 'password')
  t.true(await page.getByRole('button', { name: 'Sign in' }).isDisabled())
  await page.evaluate("dispatchEvent(new Event('pageshow'))")
  t.true(await page.getByRole('button', { name: 'Sign in' }).isEnabled())
})

browserTest(`without script the password has no reveal button${why}`, async t => {
  const other = await browser.newContext({ javaScriptEnabled: false })
  const page = await other.newPage()
  await page.goto(`${gallery.url}/dev/gallery/password/plain`)
  t.true(await page.locator('[data-reveal]').isHidden())
  await other.close()
})

browserTest(`the decision of the pressed button is sent once${why}`, async t => {
  const page = await openStopped(t, 'consent/plain')
  const bodies: (string | null)[] = []
  page.on('request', request => {
    if (request.method() === 'POST') bodies.push(request.postData())
  })
  await page.getByRole('button', { name: 'Allow' }).dblclick()
  await page.waitForTimeout(100)

  t.is(bodies.length, 1)
  t.is(new URLSearchParams(bodies[0] ?? '').get('decision'), 'allow')
})

browserTest(`a tenant's colour reaches the button under the policy${why}`, async t => {
  const page = await context.newPage()
  await page.goto(`${gallery.url}/dev/gallery/identifier/branded`)
  const color = await page.evaluate("getComputedStyle(document.querySelector('.primary')).backgroundColor")
  t.is(color, 'rgb(255, 232, 26)')
  await page.close()
})

/** Opens a page whose submits are answered by 204, so that it stays. */
async function openStopped(t: ExecutionContext, state: string): Promise<Page> {
  const page = await context.newPage()
  t.teardown(() => page.close())
  await page.goto(`${gallery.url}/dev/gallery/${state}`)
  await page.route('**', route => route.fulfill({ status: 204 }))
  return page
}

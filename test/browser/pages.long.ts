/** Every page as the real server shows it: accessible, reflowing, and quiet under its policy, in light and dark. */
import test from 'ava'
import type { Browser } from 'playwright-core'
import { findChromium, openBrowser } from '../support/browser.ts'
import { JOURNEYS } from '../support/journeys.ts'
import { layoutFaults, listen, violations } from '../support/page-checks.ts'
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

for (const { name, title, status, reach } of JOURNEYS) {
  browserTest(`${name} is accessible, reflows and keeps to its policy${why}`, async t => {
    const context = await browser.newContext({ viewport: { width: 360, height: 740 }, reducedMotion: 'reduce' })
    t.teardown(() => context.close())
    const page = await context.newPage()
    const noise = listen(page, server.issuer)
    const statuses: number[] = []
    page.on('response', response => response.request().isNavigationRequest() && statuses.push(response.status()))
    await reach(page, server)

    t.is(await page.title(), `${title} · Authy2`)
    t.is(statuses.at(-1), status)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      t.deepEqual(await violations(page), [], colorScheme)
    }
    t.deepEqual(await layoutFaults(page), [])
    t.deepEqual(noise, [])
  })
}

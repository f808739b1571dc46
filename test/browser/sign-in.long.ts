/** The whole journey in Chromium: in at the demo relying party, out again, and asked anew; with script and without. */
import test from 'ava'
import type { Browser, Page } from 'playwright-core'
import { findChromium, openBrowser } from '../support/browser.ts'
import { startDemo, type TestDemo } from '../support/demo.ts'
import { bob } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

const hasChromium = findChromium() !== undefined
const browserTest = hasChromium ? test.serial : test.serial.skip
const why = hasChromium ? '' : ' (skipped: no Chromium, set CHROMIUM_PATH)'

let server: TestServer
let demo: TestDemo
let browser: Browser

test.before(async () => {
  if (!hasChromium) return
  server = await startServer()
  demo = await startDemo(server)
  browser = await openBrowser()
})

test.after.always(async () => {
  await browser?.close()
  demo?.close()
  await server?.close()
})

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with script' : 'without script'

  browserTest(`bob signs in at the demo and out again, ${how}${why}`, async t => {
    const context = await browser.newContext({ javaScriptEnabled })
    t.teardown(() => context.close())
    const page = await context.newPage()
    await signIn(page)

    t.is(page.url(), `${demo.origin}/`)
    const claims = await claimsOf(page, 'Claims of the ID token')
    t.is(claims.iss, server.issuer)
    t.is(claims.amr, '["pwd"]')
    const told = await claimsOf(page, 'Claims from the userinfo endpoint')
    t.is(told.email, bob.email)
    t.is(told.name, 'Bob Member')
    t.is(told.sub, claims.sub)

    await page.getByRole('button', { name: 'Sign out' }).click()
    if (!javaScriptEnabled) {
      t.is(new URL(page.url()).origin, server.issuer)
      await page.getByRole('button', { name: 'Sign out' }).click()
    }
    await page.waitForURL(`${demo.origin}/`)
    t.true(await page.getByRole('button', { name: 'Sign in' }).isVisible())

    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.waitForURL(`${server.issuer}/interaction/*`)
    t.is(await page.locator('#username').inputValue(), '')
  })

  browserTest(`bob cancels, and the demo tells that he did, ${how}${why}`, async t => {
    const context = await browser.newContext({ javaScriptEnabled })
    t.teardown(() => context.close())
    const page = await context.newPage()
    await page.goto(`${demo.origin}/login`)
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.waitForURL(`${demo.origin}/callback?*`)
    t.regex((await page.getByRole('alert').textContent()) ?? '', /access_denied/)
  })
}

async function signIn(page: Page): Promise<void> {
  await page.goto(demo.origin)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.locator('#username').fill(bob.email)
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.locator('#password').fill(bob.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL(`${demo.origin}/`)
}

/** Reads a table of claims off the demo's page. */
async function claimsOf(page: Page, caption: string): Promise<Record<string, string>> {
  const rows = await page.getByRole('table', { name: caption }).locator('tbody tr').all()
  const read = rows.map(async row => [await row.locator('th').textContent(), await row.locator('td').textContent()])
  return Object.fromEntries(await Promise.all(read))
}

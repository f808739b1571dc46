/** Changing who is signed in: another account from the consent page, and signing out where nobody is signed in any more. */
import test, { type ExecutionContext } from 'ava'
import type { Browser, Page } from 'playwright-core'
import { findChromium, openBrowser } from '../support/browser.ts'
import { startDemo } from '../support/demo.ts'
import { signIn } from '../support/journeys.ts'
import { alice, bob } from '../support/relying-party.ts'
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

for (const javaScriptEnabled of [true, false]) {
  const how = `with script ${javaScriptEnabled ? 'on' : 'off'}`

  browserTest(`bob lets alice sign in instead, and she allows it, ${how}${why}`, async t => {
    const { page, origin } = await open(t, { isFirstParty: false, javaScriptEnabled })
    await page.goto(`${origin}/login`)
    await signIn(page, bob)
    await page.getByRole('button', { name: 'Use another account' }).click()
    await signIn(page, alice)
    // Whoever replaces whose session says so, script or not.
    await page.getByText(`You are signed in as ${bob.email}`).waitFor()
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByText(alice.email).waitFor()
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.waitForURL(`${origin}/`)
    t.true(await page.getByRole('heading', { name: 'Signed in as Alice Owner' }).isVisible())
  })

  browserTest(`signing out where the session is gone already leads home, ${how}${why}`, async t => {
    const { page, origin } = await open(t, { javaScriptEnabled })
    await page.goto(`${origin}/login`)
    await signIn(page)
    await page.waitForURL(`${origin}/`)
    for (const name of ['session', 'session.sig']) await page.context().clearCookies({ name })
    await page.getByRole('button', { name: 'Sign out' }).click()
    if (!javaScriptEnabled) await page.getByRole('button', { name: 'Continue' }).click()
    await page.waitForURL(`${origin}/`)
    t.true(await page.getByRole('button', { name: 'Sign in' }).isVisible())
  })
}

async function open(
  t: ExecutionContext,
  { javaScriptEnabled, isFirstParty = true }: { javaScriptEnabled: boolean; isFirstParty?: boolean },
): Promise<{ page: Page; origin: string }> {
  const demo = await startDemo(server, { isFirstParty })
  const context = await browser.newContext({ javaScriptEnabled })
  t.teardown(async () => {
    await context.close()
    demo.close()
  })
  return { page: await context.newPage(), origin: demo.origin }
}

/** A form sent again, a page gone back to, a sign-in finished elsewhere: nothing breaks and nobody is asked to resubmit. */
import test, { type ExecutionContext } from 'ava'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { findChromium, openBrowser } from '../support/browser.ts'
import { startDemo, type TestDemo } from '../support/demo.ts'
import { identify, JOURNEYS, signIn } from '../support/journeys.ts'
import { bob } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

const hasChromium = findChromium() !== undefined
const browserTest = hasChromium ? test.serial : test.serial.skip
const why = hasChromium ? '' : ' (skipped: no Chromium, set CHROMIUM_PATH)'
const expired = 'Sign-in expired · Authy2'

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
  const how = `with script ${javaScriptEnabled ? 'on' : 'off'}`

  browserTest(`two clicks sign in once, ${how}${why}`, async t => {
    const page = await (await open(t, javaScriptEnabled)).newPage()
    await page.goto(`${demo.origin}/login`)
    await identify(page)
    await page.locator('#password').fill(bob.password)
    await page.getByRole('button', { name: 'Sign in' }).dblclick()
    await page.waitForURL(`${demo.origin}/`)
    t.true(await page.getByRole('heading', { name: 'Signed in as Bob Member' }).isVisible())
  })

  browserTest(`the back button after signing in finds whole pages, ${how}${why}`, async t => {
    const page = await (await open(t, javaScriptEnabled)).newPage()
    await page.goto(`${demo.origin}/login`)
    await signIn(page)
    await page.waitForURL(`${demo.origin}/`)
    t.deepEqual(await goBack(page, server.issuer), [expired, expired])
  })

  browserTest(`a sign-in finished in another tab is over in this one, ${how}${why}`, async t => {
    const context = await open(t, javaScriptEnabled)
    const [left, right] = [await context.newPage(), await context.newPage()]
    await left.goto(`${demo.origin}/login`)
    await identify(left)
    await right.goto(left.url())
    await left.locator('#password').fill(bob.password)
    await left.getByRole('button', { name: 'Sign in' }).click()
    await left.waitForURL(`${demo.origin}/`)

    await right.locator('#password').fill(bob.password)
    await right.getByRole('button', { name: 'Sign in' }).click()
    await right.getByRole('heading', { name: 'This sign-in is over' }).waitFor()
    t.is(await right.title(), expired)
  })

  browserTest(`two sign-ins begun in two tabs both end well, ${how}${why}`, async t => {
    const context = await open(t, javaScriptEnabled)
    const [left, right] = [await context.newPage(), await context.newPage()]
    for (const page of [left, right]) await page.goto(`${demo.origin}/login`)
    await signIn(left)
    await left.waitForURL(`${demo.origin}/`)
    await signIn(right)
    await right.waitForURL(`${demo.origin}/`)
    t.true(await right.getByRole('heading', { name: 'Signed in as Bob Member' }).isVisible())
  })
}

browserTest(`the back button asks nobody to resubmit, even after a mistake${why}`, async t => {
  const page = await (await open(t)).newPage()
  await page.goto(`${demo.origin}/login`)
  await signIn(page, { ...bob, password: 'not the password' })
  await page.getByRole('alert').waitFor()
  await page.locator('#password').fill(bob.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL(`${demo.origin}/`)
  t.deepEqual(await goBack(page, server.issuer), [expired, expired, expired])
})

browserTest(`the back button asks nobody to resubmit a device's code${why}`, async t => {
  const page = await (await open(t)).newPage()
  await JOURNEYS.find(({ name }) => name === 'the page of a connected device')?.reach(page, server)
  t.deepEqual(await goBack(page, server.issuer), [expired, expired, 'Connect a device · Authy2', 'Connect a device · Authy2'])
})

async function open(t: ExecutionContext, javaScriptEnabled = true): Promise<BrowserContext> {
  const context = await browser.newContext({ javaScriptEnabled })
  t.teardown(() => context.close())
  return context
}

/** Goes back through all pages of the origin; gives their titles. Throws (ERR_CACHE_MISS) where a form would have to be sent again. */
async function goBack(page: Page, origin: string): Promise<string[]> {
  const titles: string[] = []
  for (;;) {
    await page.goBack()
    if (!page.url().startsWith(origin)) return titles
    titles.push(await page.title())
  }
}

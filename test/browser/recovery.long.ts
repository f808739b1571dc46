/** A forgotten password and a new account in Chromium, with script and without: accessible in light and dark on every page. */
import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import type { Browser, Page } from 'playwright-core'
import { findChromium, openBrowser } from '../support/browser.ts'
import { startDemo, type TestDemo } from '../support/demo.ts'
import { identify } from '../support/journeys.ts'
import { codeOf, linkOf, mailTo } from '../support/mails.ts'
import { layoutFaults, violations } from '../support/page-checks.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

const hasChromium = findChromium() !== undefined
const browserTest = hasChromium ? test.serial : test.serial.skip
const why = hasChromium ? '' : ' (skipped: no Chromium, set CHROMIUM_PATH)'
const newPassword = 'eleven silver kettles'

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

/** Axe and the measures are scripts, so they are for where the page may run some. */
const check = async (t: ExecutionContext, page: Page) => {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    t.deepEqual(await violations(page), [], `${page.url()} ${colorScheme}`)
  }
  t.deepEqual(await layoutFaults(page), [])
}

const begin = async (t: ExecutionContext, javaScriptEnabled: boolean) => {
  const context = await browser.newContext({ javaScriptEnabled, viewport: { width: 360, height: 740 } })
  t.teardown(() => context.close())
  const page = await context.newPage()
  const referrers: string[] = []
  page.on('request', request => referrers.push(request.headers().referer ?? ''))
  await page.goto(`${demo.origin}/login`)
  return { page, referrers }
}

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with script' : 'without script'
  const checked = async (t: ExecutionContext, page: Page) => (javaScriptEnabled ? check(t, page) : undefined)

  browserTest(`who forgot their password is signed in at the demo with a new one, ${how}${why}`, async t => {
    const { email } = await makeUser(server)
    const { page, referrers } = await begin(t, javaScriptEnabled)
    await identify(page, email)
    await page.getByRole('link', { name: 'Forgot password?' }).click()
    t.is(await page.locator('#username').inputValue(), email)
    await checked(t, page)
    await page.getByRole('button', { name: 'Send the link' }).click()
    await page.getByRole('heading', { name: 'Check your mail' }).waitFor()
    await checked(t, page)

    const link = linkOf(await mailTo(server, email, 'Choose a new password'))
    await page.goto(link.href)
    t.is(page.url(), `${server.issuer}/recovery`)
    t.is(await page.locator('#username').inputValue(), email)
    await checked(t, page)
    await page.locator('#password').fill(newPassword)
    await page.getByRole('button', { name: 'Change password' }).click()
    await page.getByRole('heading', { name: 'Your password was changed' }).waitFor()
    await checked(t, page)
    await page.getByRole('link', { name: 'Sign in' }).click()
    await identify(page, email)
    await page.locator('#password').fill(newPassword)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.waitForURL(`${demo.origin}/`)
    t.false(referrers.some(referrer => referrer.includes(link.pathname)))
  })

  browserTest(`somebody makes an account and is signed in at the demo, ${how}${why}`, async t => {
    const email = `${randomUUID()}@people.example`
    const { page } = await begin(t, javaScriptEnabled)
    await page.getByRole('link', { name: 'Create an account' }).click()
    await checked(t, page)
    await page.locator('#email').fill(email)
    await page.locator('#name').fill('Ida Example')
    await page.locator('#password').fill(newPassword)
    await page.getByRole('button', { name: 'Create account' }).click()
    await page.locator('#code').waitFor()
    await checked(t, page)
    await page.locator('#code').fill('000 000')
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('alert').waitFor()
    t.true((await page.title()).startsWith('Error: '))
    await checked(t, page)
    await page.locator('#code').fill(codeOf(await mailTo(server, email, 'Confirm')))
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.waitForURL(`${demo.origin}/`)
  })

  browserTest(`somebody signs in by the link of a mailed code, ${how}${why}`, async t => {
    const { email } = await makeUser(server)
    const { page } = await begin(t, javaScriptEnabled)
    await identify(page, email)
    await page.getByRole('button', { name: 'Email me a code instead' }).click()
    await page.locator('#code').waitFor()
    const link = linkOf(await mailTo(server, email, 'sign-in code'))
    await page.goto(link.href)
    t.true(page.url().endsWith('/code/link'))
    await checked(t, page)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.waitForURL(`${demo.origin}/`)
  })
}

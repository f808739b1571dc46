/** Signing in by keyboard alone, and what a page tells password managers and screen readers on the way. */
import test, { type ExecutionContext } from 'ava'
import type { Browser, Page } from 'playwright-core'
import { findChromium, openBrowser } from '../support/browser.ts'
import { makeClient } from '../support/clients.ts'
import { startDemo, type TestDemo } from '../support/demo.ts'
import { identify, signIn } from '../support/journeys.ts'
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
  browserTest(`Tab and Enter are enough to sign in, with script ${javaScriptEnabled ? 'on' : 'off'}${why}`, async t => {
    const page = await open(t, javaScriptEnabled)
    await page.goto(demo.origin)
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await focused(page, '#username')
    await page.keyboard.type(bob.email)
    await page.keyboard.press('Enter')
    await focused(page, '#password')
    await page.keyboard.type(bob.password)
    await page.keyboard.press('Enter')
    await page.waitForURL(`${demo.origin}/`)
    t.true(await page.getByRole('heading', { name: 'Signed in as Bob Member' }).isVisible())
  })

  browserTest(`Tab and Enter are enough to choose an organization, with script ${javaScriptEnabled ? 'on' : 'off'}${why}`, async t => {
    const page = await open(t, javaScriptEnabled)
    const { url } = await (await makeClient(server, { redirectUris: [`${demo.origin}/`] })).request({ scope: 'openid organization' })
    await page.goto(url.href)
    await signIn(page, bob)
    await page.getByRole('button', { name: 'Globex' }).waitFor()
    for (const next of ['.identity .link', '.choice:nth-of-type(1)', '.choice:nth-of-type(2)']) {
      await page.keyboard.press('Tab')
      await t.notThrowsAsync(focused(page, next), next)
    }
    await page.keyboard.press('Enter')
    await page.waitForURL(address => address.origin === demo.origin)
    t.true(page.url().includes('code='))
  })

  browserTest(
    `after a wrong password the summary has the focus, then each control in its order, with script ${javaScriptEnabled ? 'on' : 'off'}${why}`,
    async t => {
      const page = await open(t, javaScriptEnabled)
      await page.goto(`${demo.origin}/login`)
      await signIn(page, { ...bob, password: 'not the password' })
      await focused(page, '[role=alert]')

      const reveal = javaScriptEnabled ? ['[data-reveal]'] : []
      for (const next of ['#username', '.identity a', '#password', ...reveal, '[name=remember]', '.primary']) {
        await page.keyboard.press('Tab')
        await t.notThrowsAsync(focused(page, next), next)
      }
      t.is(await page.locator('#password').inputValue(), '')
      t.is(await page.locator('#username').inputValue(), bob.email)
    },
  )
}

browserTest(`what is missing is told at its field${why}`, async t => {
  const page = await open(t)
  await page.goto(`${demo.origin}/login`)
  await page.evaluate("document.querySelector('form').noValidate = true")
  await page.locator('#username').press('Enter')
  await focused(page, '[role=alert]')
  const field = page.locator('#username')
  t.is(await field.getAttribute('aria-invalid'), 'true')
  t.is(await page.locator(`#${await field.getAttribute('aria-describedby')}`).textContent(), 'Enter your email address.')
})

browserTest(`the password is shown and hidden by keyboard${why}`, async t => {
  const page = await open(t)
  await page.goto(`${demo.origin}/login`)
  await identify(page)
  await page.keyboard.type('secret')
  await page.keyboard.press('Tab')
  const states: (string | null)[] = []
  for (const key of ['Space', 'Enter']) {
    await page.keyboard.press(key)
    states.push(await page.locator('#password').getAttribute('type'), await page.locator('[data-reveal]').getAttribute('aria-pressed'))
  }
  t.deepEqual(states, ['text', 'true', 'password', 'false'])
  t.is(await page.locator('#password').inputValue(), 'secret')
})

browserTest(`«Change» leads back to the email address, which is kept${why}`, async t => {
  const page = await open(t)
  await page.goto(`${demo.origin}/login`)
  await identify(page)
  await page.getByRole('link', { name: 'Change email address' }).click()
  t.is(await page.locator('#username').inputValue(), bob.email)
})

browserTest(`password managers are told what each field is${why}`, async t => {
  const page = await open(t)
  await page.goto(`${demo.origin}/login`)
  const told = async (id: string) =>
    Promise.all(['type', 'name', 'autocomplete', 'autocapitalize', 'spellcheck', 'inputmode'].map(name => page.locator(id).getAttribute(name)))
  t.deepEqual(await told('#username'), ['email', 'username', 'username webauthn', 'none', 'false', 'email'])
  await identify(page)
  t.deepEqual(await told('#password'), ['password', 'password', 'current-password', null, null, null])
  t.is(await page.locator('#username').getAttribute('autocomplete'), 'username')
  t.not(await page.locator('#username').getAttribute('readonly'), null)
})

async function open(t: ExecutionContext, javaScriptEnabled = true): Promise<Page> {
  const context = await browser.newContext({ javaScriptEnabled })
  t.teardown(() => context.close())
  return context.newPage()
}

/** Waits until the element has the focus. */
async function focused(page: Page, selector: string): Promise<void> {
  await page.locator(`${selector}:focus`).waitFor({ timeout: 5000 })
}

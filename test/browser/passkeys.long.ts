/** Passkeys in Chromium with a virtual authenticator: made, offered by autofill, used by the button, and gone when they are removed. */
import test, { type ExecutionContext } from 'ava'
import type { Browser, Page } from 'playwright-core'
import { findChromium, openBrowser } from '../support/browser.ts'
import { startDemo, type TestDemo } from '../support/demo.ts'
import { signIn } from '../support/journeys.ts'
import { layoutFaults, listen, violations } from '../support/page-checks.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { makeUser } from '../support/users.ts'
import { addAuthenticator, makePasskey } from '../support/virtual-authenticator.ts'

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

const open = async (t: ExecutionContext, { javaScriptEnabled = true } = {}) => {
  const context = await browser.newContext({ javaScriptEnabled, viewport: { width: 360, height: 740 }, reducedMotion: 'reduce' })
  t.teardown(() => context.close())
  return context.newPage()
}

/** A person who made a passkey and signed out, at the demo. */
const signedOut = async (t: ExecutionContext) => {
  const page = await open(t)
  const authenticator = await addAuthenticator(page)
  const user = await makeUser(server)
  await page.goto(`${demo.origin}/login`)
  await signIn(page, user)
  await page.waitForURL(`${demo.origin}/`)
  const passkey = await makePasskey(page, server, authenticator)
  await page.goto(demo.origin)
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('button', { name: 'Sign in' }).waitFor()
  return { page, authenticator, user, passkey }
}

const isSignedIn = async (t: ExecutionContext, page: Page) => {
  await page.waitForURL(`${demo.origin}/`)
  const row = page.getByRole('table', { name: 'Claims of the ID token' }).locator('tr', { hasText: 'amr' })
  t.is(await row.locator('td').textContent(), '["hwk","user","mfa"]')
}

browserTest(`a passkey signs in by autofill, without a name and without a click${why}`, async t => {
  const { page, authenticator, passkey } = await signedOut(t)
  t.regex(passkey.name, /on Linux$/)
  await authenticator.touch()
  await page.goto(`${demo.origin}/login`)
  await isSignedIn(t, page)
})

browserTest(`a passkey signs in by the button, which ends the offer of autofill${why}`, async t => {
  const { page, authenticator } = await signedOut(t)
  await page.goto(`${demo.origin}/login`)
  await page.getByRole('button', { name: 'Use a passkey' }).click()
  await authenticator.touch()
  await isSignedIn(t, page)
})

browserTest(`Tab and Enter are enough to sign in by passkey${why}`, async t => {
  const { page, authenticator } = await signedOut(t)
  await page.goto(`${demo.origin}/login`)
  await page.locator('#username:focus').waitFor()
  for (const next of ['.primary', 'form[data-passkey] button']) {
    await page.keyboard.press('Tab')
    await page.locator(`${next}:focus`).waitFor()
  }
  await page.keyboard.press('Enter')
  await authenticator.touch()
  await isSignedIn(t, page)
})

browserTest(`who is not known to the authenticator is told nothing, and may try again${why}`, async t => {
  const { page, authenticator } = await signedOut(t)
  await page.goto(`${demo.origin}/login`)
  await authenticator.know(false)
  await authenticator.touch()
  await page.getByRole('button', { name: 'Use a passkey' }).click()
  await page.waitForTimeout(1000)
  t.is(await page.locator('form[data-passkey] [role=status]').textContent(), '')
  t.is(await page.getByRole('alert').count(), 0)
  await authenticator.know(true)
  await page.getByRole('button', { name: 'Use a passkey' }).click()
  await isSignedIn(t, page)
})

browserTest(`a passkey that was removed signs in no more, and its authenticator forgets it${why}`, async t => {
  const { page, authenticator, user, passkey } = await signedOut(t)
  const owner = await server.services.users.find(user.id)
  if (!owner) return t.fail()
  await server.services.passkeys.remove({ kind: 'user', id: user.id, permissions: new Set() }, { user: owner, id: passkey.id })
  t.is((await authenticator.credentials()).length, 1)
  await page.goto(`${demo.origin}/login`)
  // The page that refuses it offers autofill again: nobody touches anything by then.
  await page.route('**/passkey', async route => {
    await authenticator.touch(false)
    await route.continue()
  })
  await page.getByRole('button', { name: 'Use a passkey' }).click()
  await authenticator.touch()
  const alert = page.getByRole('alert')
  t.is((await alert.textContent())?.trim(), 'This passkey is not known here, or it was removed. Sign in another way.')
  t.is(await page.title(), 'Error: Sign in · Authy2')
  t.deepEqual(await violations(page), [])
  await until(async () => (await authenticator.credentials()).length === 0)
})

browserTest(`the page with the button is accessible, reflows and keeps to its policy${why}`, async t => {
  const page = await open(t)
  await addAuthenticator(page)
  await page.goto(demo.origin)
  const noise = listen(page, server.issuer)
  await page.goto(`${demo.origin}/login`)
  await page.getByRole('button', { name: 'Use a passkey' }).waitFor()
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    t.deepEqual(await violations(page), [], colorScheme)
  }
  t.deepEqual(await layoutFaults(page), [])
  t.deepEqual(
    noise.filter(one => !one.startsWith(`asked ${demo.origin}`)),
    [],
  )
})

browserTest(`where the server cannot be asked, the button says so${why}`, async t => {
  const page = await open(t)
  await addAuthenticator(page)
  await page.route('**/passkey/options', route => route.abort())
  await page.goto(`${demo.origin}/login`)
  await page.getByRole('button', { name: 'Use a passkey' }).click()
  await page.getByRole('status').filter({ hasText: 'could not ask for a passkey' }).waitFor()
  t.deepEqual(await violations(page), [])
})

browserTest(`without script there is no button but a word why${why}`, async t => {
  const page = await open(t, { javaScriptEnabled: false })
  await page.goto(`${demo.origin}/login`)
  t.false(await page.getByRole('button', { name: 'Use a passkey' }).isVisible())
  t.true(await page.locator('noscript p', { hasText: 'To use a passkey, turn on JavaScript in your browser.' }).isVisible())
  t.deepEqual(await layoutFaults(page), [])
})

/** Somebody at the page of the ways to sign in, with an authenticator that does not know them. */
const atSecurity = async (t: ExecutionContext) => {
  const page = await open(t)
  const authenticator = await addAuthenticator(page)
  const user = await makeUser(server)
  await page.goto(`${server.issuer}/account/security`)
  await signIn(page, user)
  await page.waitForURL(`${server.issuer}/account/security`)
  return { page, authenticator, user, button: page.getByRole('button', { name: 'Add a passkey' }) }
}

browserTest(`a passkey that was not made at the first try is made at the next, and nothing is said of it${why}`, async t => {
  const { page, authenticator, button } = await atSecurity(t)
  await authenticator.know(false)
  await authenticator.touch()
  await button.click()
  await page.waitForTimeout(1000)
  t.is(await page.locator('form[data-enrol] [role=status]').textContent(), '')
  t.true(await button.isEnabled())
  await authenticator.know(true)
  await button.click()
  await page.waitForURL(/\/account\/security\?done=passkey_added\./)
  t.is((await authenticator.credentials()).length, 1)
})

browserTest(`whoever signed in too long ago to add a passkey is asked to sign in again${why}`, async t => {
  const { page, user, button } = await atSecurity(t)
  await server.resources.database.pool.query(`UPDATE sessions SET proven_at = proven_at - interval '1 hour' WHERE user_id = $1`, [user.id])
  await button.click()
  await page.waitForURL(/\/interaction\//)
  t.pass()
})

browserTest(`where the server cannot be asked for a new passkey, the browser is not blamed${why}`, async t => {
  const { page, button } = await atSecurity(t)
  await page.route('**/passkeys/options', route => route.abort())
  await button.click()
  await page.getByRole('status').filter({ hasText: 'The passkey was not added.' }).waitFor()
  t.true(await button.isEnabled())
})

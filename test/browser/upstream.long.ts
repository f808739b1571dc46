/** Signing in by another provider in Chromium, under the policy of our pages: by a redirect, and by forms from another site; with script and without. */
import test from 'ava'
import type { Browser, Page } from 'playwright-core'
import type { Connector } from '../../src/connectors/connector.ts'
import { findChromium, openBrowser } from '../support/browser.ts'
import { startDemo, type TestDemo } from '../support/demo.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeConnection } from '../support/upstream-journeys.ts'
import { createPosting, startPosting } from '../support/upstreams/posting.ts'
import { startUpstream, type Upstream } from '../support/upstreams/upstream.ts'

const hasChromium = findChromium() !== undefined
const browserTest = hasChromium ? test.serial : test.serial.skip
const why = hasChromium ? '' : ' (skipped: no Chromium, set CHROMIUM_PATH)'

let server: TestServer
let demo: TestDemo
let browser: Browser
let upstream: Upstream
let posting: Awaited<ReturnType<typeof startPosting>>

test.before(async () => {
  if (!hasChromium) return
  ;[server, upstream, posting] = await Promise.all([startServer(), startUpstream(), startPosting()])
  ;(server.services.connectors as Map<string, Connector>).set('posting', createPosting(posting.action))
  await makeConnection(server, upstream, { name: 'Redirecting' })
  await makeConnection(server, { local: posting.action, client_id: 'x', client_secret: 'x' }, { connector: 'posting', name: 'Posting' })
  demo = await startDemo(server)
  browser = await openBrowser()
})

test.after.always(async () => {
  await browser?.close()
  demo?.close()
  posting?.close()
  await upstream?.close()
  await server?.close()
})

const signIn = async (page: Page, name: string, hasScript: boolean) => {
  const faults: string[] = []
  page.on('console', message => {
    if (/Content Security Policy/i.test(message.text())) faults.push(message.text())
  })
  await page.goto(demo.origin)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: `Continue with ${name}` }).click()
  if (name === 'Posting' && !hasScript) await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByLabel('Address').fill(`${name.toLowerCase()}-${hasScript}@people.example`)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL(url => url.origin !== server.issuer && url.pathname === '/' && url.origin === demo.origin)
  return faults
}

for (const hasScript of [true, false])
  for (const name of ['Redirecting', 'Posting'])
    browserTest(`a person comes in by the provider ${name}, ${hasScript ? 'with script' : 'without script'}${why}`, async t => {
      const context = await browser.newContext({ javaScriptEnabled: hasScript })
      t.teardown(() => context.close())
      const page = await context.newPage()
      t.deepEqual(await signIn(page, name, hasScript), [])
      t.true((await page.content()).includes('fed'))
    })

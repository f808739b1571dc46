/** The answer that the browser posts to the client (OAuth 2.0 Form Post Response Mode), from our page under its policy. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import * as client from 'openid-client'
import type { Browser } from 'playwright-core'
import { findChromium, openBrowser } from '../support/browser.ts'
import { makeClient } from '../support/clients.ts'
import { signIn } from '../support/journeys.ts'
import { bob } from '../support/relying-party.ts'
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

for (const javaScriptEnabled of [true, false])
  browserTest(`a code is posted to a client of another site, with script ${javaScriptEnabled ? 'on' : 'off'}${why}`, async t => {
    const receiver = await receive(t)
    const relyingParty = await makeClient(server, { redirectUris: [receiver.address] })
    const { url, checks } = await relyingParty.request({ response_mode: 'form_post' })
    const context = await browser.newContext({ javaScriptEnabled })
    t.teardown(() => context.close())
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('console', message => complaints.push(message.text()))

    await page.goto(url.href)
    await signIn(page)
    if (!javaScriptEnabled) await page.getByRole('button', { name: 'Continue' }).click()
    await page.waitForURL(receiver.address)

    const [request] = receiver.requests
    t.is(request?.method, 'POST')
    const tokens = await client.authorizationCodeGrant(relyingParty.configuration, request as Request, checks)
    t.is((await client.fetchUserInfo(relyingParty.configuration, tokens.access_token, tokens.claims()?.sub ?? '')).email, bob.email)
    t.deepEqual(complaints, [])
  })

browserTest(`a refusal is posted as well${why}`, async t => {
  const receiver = await receive(t)
  const relyingParty = await makeClient(server, { redirectUris: [receiver.address] })
  const { url, checks } = await relyingParty.request({ response_mode: 'form_post' })
  const context = await browser.newContext()
  t.teardown(() => context.close())
  const page = await context.newPage()
  await page.goto(url.href)
  await page.getByRole('button', { name: 'Cancel' }).click()
  await page.waitForURL(receiver.address)

  const answer = new URLSearchParams(await receiver.requests[0]?.text())
  t.is(answer.get('error'), 'access_denied')
  t.is(answer.get('state'), checks.expectedState)
  t.is(answer.get('iss'), server.issuer)
})

/** A client's callback on another site than the server's, which keeps what it is sent. */
async function receive(t: ExecutionContext) {
  const requests: Request[] = []
  const listening = createServer(async (request, response) => {
    const { method, url, headers } = request
    const body = Buffer.concat(await request.toArray())
    if (url === '/callback')
      requests.push(new Request(address, { method, body: body.length > 0 ? body : undefined, headers: { 'content-type': headers['content-type'] ?? '' } }))
    response.end('received')
  }).listen(0, '127.0.0.1')
  await once(listening, 'listening')
  t.teardown(() => listening.close())
  const address = `http://127.0.0.1:${(listening.address() as AddressInfo).port}/callback`
  return { address, requests }
}

/** Makes the screenshots of the README from the real server and the demo, on their usual ports: node scripts/screenshots.ts */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { demoClients } from '../src/demo-data.ts'
import { openBrowser } from '../test/support/browser.ts'
import { makeClient } from '../test/support/clients.ts'
import { identify, signIn } from '../test/support/journeys.ts'
import { startServer, type TestServer } from '../test/support/server.ts'
import { createDemo } from './demo/app.ts'

const DOCS = join(import.meta.dirname, '../docs')
const VIEWPORT = { width: 1200, height: 800 }
const DEMO = 'http://localhost:4000'
// Servers seldom have a system font worth showing; these have the measures of what people see.
const FONT =
  ':root{--font:Inter,"Helvetica Neue","Liberation Sans",Arial,sans-serif}body{font-family:Inter,"Helvetica Neue","Liberation Sans",Arial,sans-serif}'

type Step = (page: Page, server: TestServer) => Promise<unknown>

const toIdentifier: Step = page => page.goto(`${DEMO}/login`)
const toPassword: Step = page => identify(page)
const toDemo: Step = async (page, server) => {
  await toIdentifier(page, server)
  await signIn(page)
  await page.waitForURL(`${DEMO}/`)
}
const toConsent: Step = async (page, server) => {
  const links = { policy_uri: 'https://papertrail.example/privacy', tos_uri: 'https://papertrail.example/terms' }
  const redirectUris = ['https://app.papertrail.example/callback']
  const client = await makeClient(server, { name: 'Papertrail', isFirstParty: false, redirectUris, metadata: links })
  const { url } = await client.request({ scope: 'openid profile email organizations offline_access', prompt: 'consent' })
  await page.goto(url.href)
  await signIn(page)
  await page.getByRole('button', { name: 'Allow' }).waitFor()
}

/** A page of bob's own account. */
const toAccount =
  (path: string): Step =>
  async (page, server) => {
    await page.goto(`${server.issuer}/account/${path}`)
    if (!page.url().endsWith(path)) await signIn(page)
    await page.waitForURL(`**/account/${path}`)
  }

/** One picture: the pages that the steps lead to, side by side. */
interface Shot {
  readonly file: string
  readonly scheme: 'light' | 'dark'
  readonly steps: readonly Step[]
}

const SHOTS: readonly Shot[] = [
  { file: 'sign-in.png', scheme: 'light', steps: [toIdentifier, toPassword] },
  { file: 'sign-in-dark.png', scheme: 'dark', steps: [toIdentifier, toPassword] },
  { file: 'consent.png', scheme: 'light', steps: [toConsent] },
  { file: 'account.png', scheme: 'light', steps: [toAccount('security'), toAccount('sessions')] },
  { file: 'demo.png', scheme: 'light', steps: [toDemo] },
]

const server = await startServer({ port: 3000 })
const [{ clientId, secret: clientSecret }] = demoClients
const demo = createServer(createDemo({ issuer: new URL(server.issuer), origin: DEMO, clientId, clientSecret }).callback())
await once(demo.listen(4000, 'localhost'), 'listening')
const browser = await openBrowser()
try {
  for (const shot of SHOTS) await shoot(shot)
} finally {
  await browser.close()
  demo.close()
  await server.close()
}

async function shoot({ file, scheme, steps }: Shot): Promise<void> {
  const width = VIEWPORT.width / steps.length
  const context = await browser.newContext({ colorScheme: scheme, bypassCSP: true, viewport: { ...VIEWPORT, width } })
  const page = await context.newPage()
  const parts: string[] = []
  for (const step of steps) {
    await step(page, server)
    await page.addStyleTag({ content: FONT })
    parts.push((await page.screenshot({ fullPage: true })).toString('base64'))
  }
  await page.setViewportSize(VIEWPORT)
  const images = parts.map(part => `<img src="data:image/png;base64,${part}" alt="">`)
  await page.setContent(`<body style="display:flex;align-items:start;margin:0">${images.join('')}`)
  await page.screenshot({ path: join(DOCS, file), fullPage: true })
  await context.close()
}

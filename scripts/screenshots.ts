/** Makes the screenshots of the README from the gallery: node scripts/screenshots.ts */
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { openBrowser } from '../test/support/browser.ts'
import { startGallery } from '../test/support/gallery-server.ts'

const DOCS = join(import.meta.dirname, '../docs')
const VIEWPORT = { width: 1200, height: 800 }
// Servers seldom have a system font worth showing; these have the measures of what people see.
const FONT = ':root{--font:Inter,"Helvetica Neue","Liberation Sans",Arial,sans-serif}'

const SHOTS = [
  { file: 'sign-in.png', scheme: 'light', states: ['identifier/plain', 'password/plain'] },
  { file: 'sign-in-dark.png', scheme: 'dark', states: ['identifier/plain', 'password/plain'] },
  { file: 'consent.png', scheme: 'light', states: ['consent/plain'] },
] as const

const gallery = await startGallery()
const browser = await openBrowser()
try {
  for (const shot of SHOTS) await shoot(browser, shot)
} finally {
  await browser.close()
  await gallery.close()
}

/** Shows the states of one picture side by side and saves it. */
async function shoot(browser: Browser, { file, scheme, states }: (typeof SHOTS)[number]) {
  const width = VIEWPORT.width / states.length
  const context = await browser.newContext({ colorScheme: scheme, bypassCSP: true, viewport: { ...VIEWPORT, width } })
  const page = await context.newPage()
  const parts: string[] = []
  for (const state of states) {
    await page.goto(`${gallery.url}/dev/gallery/${state}`)
    await page.addStyleTag({ content: FONT })
    parts.push((await page.screenshot({ fullPage: true })).toString('base64'))
  }
  await page.setViewportSize(VIEWPORT)
  const images = parts.map(part => `<img src="data:image/png;base64,${part}" alt="">`)
  await page.setContent(`<body style="display:flex;align-items:start;margin:0">${images.join('')}`)
  await page.screenshot({ path: join(DOCS, file), fullPage: true })
  await context.close()
}

/** What every hosted page must hold: accessible, reflowing, and quiet under its policy. */
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

/** Collects what a page must not do: complain, break the policy, ask elsewhere than at `origin`. */
export function listen(page: Page, origin: string): string[] {
  const noise: string[] = []
  page.on('console', message => {
    if (!isOfStatus(message.text()) && message.text() !== outrun) noise.push(message.text())
  })
  page.on('pageerror', error => noise.push(error.message))
  page.on('request', request => {
    const url = request.url()
    if (!url.startsWith(`${origin}/`) && !url.startsWith('data:')) noise.push(`asked ${url}`)
  })
  page.on('response', response => {
    if (response.status() >= 400 && !response.request().isNavigationRequest()) noise.push(`${response.status()} for ${response.url()}`)
  })
  return noise
}

/** Gives every violation of WCAG 2.2 AA and of axe's best practice. */
export async function violations(page: Page): Promise<string[]> {
  // Legacy mode runs in the page itself; there are no frames, and the other opens a window for each run.
  const result = await new AxeBuilder({ page }).withTags(TAGS).setLegacyMode(true).analyze()
  return result.violations.flatMap(rule => rule.nodes.map(node => `${rule.id}: ${node.html} ${node.failureSummary}`))
}

/** Tells what scrolls sideways, is too low to hit or too small to type in without zoom. */
export async function layoutFaults(page: Page): Promise<string[]> {
  return page.evaluate(`(() => {
    const faults = []
    const root = document.scrollingElement
    if (root.scrollWidth > root.clientWidth) faults.push('scrolls sideways: ' + root.scrollWidth)
    for (const target of document.querySelectorAll('a, button, label.check, .field input, select')) {
      const { height } = target.getBoundingClientRect()
      if (height > 0 && height < 44) faults.push('low: ' + target.outerHTML + ' ' + height)
    }
    for (const input of document.querySelectorAll('input:not([type=hidden], [type=checkbox]), select')) {
      if (parseFloat(getComputedStyle(input).fontSize) < 16) faults.push('small: ' + input.outerHTML)
    }
    return faults
  })()`)
}

// Whoever presses a key as the page comes is where they want to be: nothing is wrong with it.
const outrun = 'Autofocus processing was blocked because a document already has a focused element.'

// Chromium complains of every page whose status is an error; those of pages are asserted by the tests, the others by `listen`.
const isOfStatus = (message: string): boolean => message.startsWith('Failed to load resource: the server responded with a status of 4')

// Tells people which browser on which system a request came from.
import bowser from 'bowser'

/** What a request says of where it came from; each part where it says so. */
export interface Device {
  readonly browser?: string
  readonly system?: string
}

/** Such as `{ browser: 'Chrome', system: 'macOS' }`. Any program may call itself anything: what is no name is left out. */
export const deviceOf = (userAgent: string | undefined): Device => {
  if (!userAgent) return {}
  const { browser, os } = bowser.parse(userAgent)
  return { ...(isName(browser.name) ? { browser: browser.name } : {}), ...(isName(os.name) ? { system: os.name } : {}) }
}

/** Such as `Chrome on macOS`, for what is named after it; `undefined` where the request does not say. */
export const deviceName = (userAgent: string | undefined): string | undefined => {
  const { browser, system } = deviceOf(userAgent)
  return [browser, system].filter(Boolean).join(' on ') || undefined
}

// It is shown to whoever the caller signed in as: no address, no sentence.
const isName = (name: string | undefined): name is string => /^\p{L}[\p{L}\p{N} +-]{0,29}$/u.test(name ?? '')

// Tells people which browser on which system a request came from.
import bowser from 'bowser'

/** Such as `Chrome on macOS`; `undefined` where the request does not say. */
export const deviceOf = (userAgent: string | undefined): string | undefined => {
  if (!userAgent) return undefined
  const { browser, os } = bowser.parse(userAgent)
  const named = [browser.name, os.name].filter(Boolean)
  return named.length > 0 ? named.join(' on ') : undefined
}
